/** What a poll asks, in which order, and what becomes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomesOf, timesOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };

test("gateways on one endpoint take turns: the earliest deadline first, ties to the shorter interval", async () => {
  const rig = new Rig({
    gateways: [
      { id: "slow", devices: { d: [4000] }, endpoint: "line", phase: 0 },
      { id: "mid", devices: { d: [2000] }, endpoint: "line", phase: 0 },
      { id: "fast", devices: { d: [1000] }, endpoint: "line", phase: 0 },
    ],
  });
  rig.behave("line", { kind: "value", ms: 100 });
  await rig.start();
  await rig.clock.advance(3500);
  rig.seen.length = 0;
  await rig.clock.advance(1000);
  assert.deepEqual(
    rig.seen.map(({ gateway }) => gateway),
    ["fast", "mid", "slow"],
  );
  assert.deepEqual(timesOf(rig, "line"), [0, 100, 200]);
  assert.deepEqual(rig.broken, []);
});

test("a poll that overruns makes the first attempt of every request, and retries only what fits", async () => {
  const devices = { one: [1000], two: [1000], three: [1000] };
  const rig = new Rig({ gateways: [{ ...ONE, devices, timeout: 450, retries: 3 }] });
  rig.behave("a", { kind: "silent" });
  await rig.start();
  await rig.clock.advance(990);
  rig.seen.length = 0;
  await rig.clock.advance(10);
  rig.behave("a/1", { kind: "value", ms: 1 });
  // The second poll has all of them silent: each is asked once, though all together take too long.
  await rig.clock.advance(1500);
  assert.deepEqual(
    rig.seen
      .slice(0, 3)
      .map(({ request }) => request.unitId)
      .sort(),
    [1, 2, 3],
  );
});

test("at the hard end what was not sent carries deadline", async () => {
  const names = Array.from({ length: 25 }, (_, i) => `d${String(i)}`);
  const devices = Object.fromEntries(names.map((name) => [name, [1000]]));
  const rig = new Rig({ gateways: [{ ...ONE, devices, timeout: 500, retries: 0 }] });
  rig.behave("a", { kind: "silent" });
  await rig.start();
  await rig.clock.advance(11_000);
  const readings = names.flatMap((name) => toldOn(rig, `readings/a/${name}`).slice(0, 1));
  assert.equal(readings.length, 25);
  const reasons = readings.map(({ reason }) => reason);
  assert.equal(reasons.filter((reason) => reason === "timeout").length, 20);
  assert.equal(reasons.filter((reason) => reason === "deadline").length, 5);
});

test("a silent device is asked last and once until it has a good read", async () => {
  const rig = new Rig({
    gateways: [
      {
        ...ONE,
        devices: { one: [2000], two: [2000] },
        retries: 2,
        timeout: 100,
      },
    ],
  });
  rig.behave("a/1", { kind: "silent" });
  await rig.start();
  await rig.clock.advance(1500);
  assert.deepEqual(
    rig.seen.map(({ request }) => request.unitId),
    [1, 1, 1, 2],
  );
  rig.seen.length = 0;
  await rig.clock.advance(2000);
  assert.deepEqual(
    rig.seen.map(({ request }) => request.unitId),
    [2, 1],
  );
  rig.behave("a/1", { kind: "value" });
  rig.seen.length = 0;
  await rig.clock.advance(4000);
  assert.deepEqual(
    rig.seen.map(({ request }) => request.unitId),
    [2, 1, 1, 2],
  );
});

test("a device whose first request gets no answer is not asked again in that poll, whatever came instead", async () => {
  for (const behaviour of [
    { kind: "silent" },
    { kind: "bad-frame" },
    { kind: "exception", code: 11 },
  ] as const) {
    const rig = new Rig({
      gateways: [
        {
          ...ONE,
          devices: { d: [1000, 1000, 1000] },
          retries: 0,
          timeout: 100,
        },
      ],
    });
    rig.behave("a", behaviour);
    await rig.start();
    await rig.clock.advance(500);
    assert.equal(rig.seen.length, 1, behaviour.kind);
    const [reading] = toldOn(rig, "readings/a/d");
    assert.equal(reading?.quality, "bad");
    assert.equal(reading.errors, undefined, "one reason holds for all points");
    assert.equal(outcomesOf(rig, "a@1000")[1], "failed");
  }
});

test("two devices of one slot have one reading each, and one outcome together", async () => {
  const rig = new Rig({
    gateways: [{ ...ONE, devices: { one: [1000], two: [1000] }, retries: 0 }],
  });
  rig.behave("a/2", { kind: "exception", code: 2 });
  await rig.start();
  await rig.clock.advance(500);
  const [one] = toldOn(rig, "readings/a/one");
  const [two] = toldOn(rig, "readings/a/two");
  assert.deepEqual([one?.seq, one?.quality, two?.seq, two?.quality], [1, "good", 1, "bad"]);
  assert.equal(outcomesOf(rig, "a@1000")[1], "partial");
});

test("after a failed connect no other is tried in the slot, and every device says so", async () => {
  const rig = new Rig({
    gateways: [{ ...ONE, devices: { one: [1000], two: [1000] }, retries: 2 }],
  });
  rig.behave("a", { kind: "refuse" });
  await rig.start();
  await rig.clock.advance(500);
  for (const device of ["one", "two"]) {
    assert.equal(toldOn(rig, `readings/a/${device}`)[0]?.reason, "connect_failed");
    assert.equal(toldOn(rig, `readings/a/${device}`)[0]?.late, null);
  }
  assert.equal(outcomesOf(rig, "a@1000")[1], "failed");
});

test("P2: the last request of a poll that broke off on a bug gives the line back", async () => {
  const rig = new Rig({ gateways: [ONE, { ...ONE, id: "b", endpoint: "a" }] });
  await rig.start();
  rig.onSeen = () => {
    rig.onSeen = () => undefined;
    throw new Error("a bug in a link");
  };
  await rig.clock.advance(2500);
  assert.ok(timesOf(rig, "a").length >= 4);
});

test("a failed connect is the last of its slot: no retry, no further request, no further device", async () => {
  const devices = { one: [1000], two: [1000] };
  const rig = new Rig({ gateways: [{ ...ONE, devices, timeout: 100, retries: 3 }] });
  rig.behave("a", { kind: "refuse", ms: 40 });
  await rig.start();
  await rig.clock.advance(1500);
  const known = ["one", "two"].map((device) => {
    const [first] = toldOn(rig, `readings/a/${device}`);
    return [first?.reason, (first?.ts ?? 0) - (first?.slot ?? 0)];
  });
  assert.deepEqual(known, Array(2).fill(["connect_failed", 40]));
});
