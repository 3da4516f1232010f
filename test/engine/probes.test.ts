/** What silent and dead devices are asked, when and how often, on the fake clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEAD, deviceOf, healthOf, opened, started, TWO } from "./dead.ts";
import { toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

/** Units in the order in which a poll that begins within the next second asks them. */
async function nextPoll(rig: Rig): Promise<number[]> {
  await rig.clock.advance(990 - (rig.clock.elapsed() % 1000));
  const from = rig.seen.length;
  await rig.clock.advance(1000);
  return rig.seen.slice(from).map(({ request }) => request.unitId);
}

/** Goes to so many ms before the slot in which the dead device is probed. */
async function toProbe(rig: Rig, before = 100): Promise<void> {
  const next = () => deviceOf(rig, "dead")?.nextProbe ?? 0;
  while (next() < rig.clock.wall()) await rig.clock.advance(100);
  await rig.clock.advance(Math.ceil(next() / 1000) * 1000 - before - rig.clock.wall());
}

test("an answered probe brings the probes of those that only lacked the connection, one a slot", async () => {
  const devices = { w: [1000], x: [1000], y: [1000], z: [1000] };
  const rig = await started({ ...TWO, devices, probe: { first: 600_000, max: 600_000 } });
  rig.behave("a/4", { kind: "silent" });
  await rig.clock.advance(16_000);
  rig.behave("a/4", { kind: "refuse" });
  rig.behave("a", { kind: "refuse" });
  await rig.clock.advance(16_000);
  assert.equal(healthOf(rig).state, "disabled");
  rig.behave("a", { kind: "value" });
  rig.behave("a/4", { kind: "value" });
  await rig.engine.ask("enable", '{"gateway":"a","device":"x"}', "test");
  const polls = [await nextPoll(rig), await nextPoll(rig), await nextPoll(rig)];
  assert.deepEqual(polls, [[2], [2, 1], [1, 2, 3]]);
  assert.deepEqual(await nextPoll(rig), [1, 2, 3], "z was opened by its silence, and waits");
});

test("a released probe that fails waits for its own time again", async () => {
  const devices = { w: [1000], x: [1000] };
  const rig = await started({ ...TWO, devices });
  rig.behave("a", { kind: "refuse" });
  await rig.clock.advance(16_000);
  rig.behave("a", { kind: "value" });
  rig.behave("a/2", { kind: "silent" });
  await rig.engine.ask("enable", '{"gateway":"a","device":"w"}', "test");
  assert.deepEqual([await nextPoll(rig), await nextPoll(rig)], [[1], [1, 2]]);
  assert.deepEqual(await nextPoll(rig), [1]);
  const { breaker, nextProbe = 0 } = deviceOf(rig, "x") ?? {};
  assert.equal(breaker, "open");
  assert.ok(nextProbe > rig.clock.wall() + 50_000, "farther off than before");
});

test("the probe is asked after all others, the silent ones too", async () => {
  const devices = { dead: [1000], silent: [1000], good: [1000] };
  const rig = await started({ ...TWO, devices, timeout: 200 });
  rig.behave("a/1", { kind: "silent" });
  while (deviceOf(rig, "dead")?.breaker !== "open") await rig.clock.advance(1000);
  await toProbe(rig, 3100);
  rig.behave("a/2", { kind: "silent" });
  const polls = [await nextPoll(rig), await nextPoll(rig), await nextPoll(rig)];
  assert.deepEqual(polls, [
    [2, 3],
    [3, 2],
    [3, 2],
  ]);
  assert.deepEqual(await nextPoll(rig), [3, 2, 1]);
});

test("a probe is one request, whatever the retries", async () => {
  const rig = await opened({ ...TWO, timeout: 200, retries: 3 });
  await toProbe(rig);
  assert.deepEqual(await nextPoll(rig), [1, 2]);
  await toProbe(rig);
  assert.deepEqual(await nextPoll(rig), [1, 2]);
  await rig.stop();
  await rig.start();
  await toProbe(rig);
  assert.deepEqual(await nextPoll(rig), [1, 2], "nor after a restart");
});

test("a probe that the connection kept from being sent is no failure of its device, and stays due", async () => {
  const rig = await opened();
  await toProbe(rig);
  const before = deviceOf(rig, "dead");
  for (const where of ["a", DEAD]) rig.behave(where, { kind: "refuse" });
  await rig.clock.advance(4000);
  assert.equal(toldOn(rig, "readings/a/good").at(-1)?.reason, "connect_failed");
  assert.equal(toldOn(rig, "readings/a/dead").at(-1)?.reason, "breaker_open");
  assert.deepEqual(deviceOf(rig, "dead"), before);
  rig.behave("a", { kind: "value" });
  rig.behave(DEAD, { kind: "silent" });
  assert.deepEqual(await nextPoll(rig), [1, 2]);
  await rig.clock.advance(1100);
  assert.equal(deviceOf(rig, "dead")?.failures, (before?.failures ?? 0) + 1);
});

test("a poll that ran into its end is no failure of those that it did not get to", async () => {
  const names = Array.from({ length: 13 }, (_, i) => `d${String(i)}`);
  const devices = Object.fromEntries(names.map((name) => [name, [1000]]));
  const rig = await started({ ...TWO, devices, timeout: 1000 });
  rig.behave("a", { kind: "silent" });
  await rig.clock.advance(12_900);
  const told = names.map((name) => toldOn(rig, `readings/a/${name}`)[0]?.reason);
  assert.deepEqual(told.slice(10), ["timeout", "deadline", "deadline"]);
  const failures = healthOf(rig).devices.map((device) => device.failures);
  assert.deepEqual(failures.slice(10), [1, 0, 0]);
  assert.equal(deviceOf(rig, "d11")?.online, false, "it had no good read");
});

test("a device is asked last and once until a good read: no other answer ends that, nor does a restart", async () => {
  const gateway = { ...TWO, devices: { dead: [1000], good: [1000] }, timeout: 200, retries: 1 };
  for (const way of ["stop", "crash", "none"] as const) {
    const rig = await started(gateway);
    await rig.clock.advance(1500);
    rig.behave("a/1", { kind: "silent" });
    assert.deepEqual(await nextPoll(rig), [1, 1, 2]);
    rig.behave("a/1", { kind: "exception", code: 2 });
    assert.deepEqual(await nextPoll(rig), [2, 1], way);
    assert.deepEqual(await nextPoll(rig), [2, 1], way);
    if (way === "stop") await rig.stop();
    if (way === "crash") rig.crash({ powerCut: true });
    if (way !== "none") await rig.start();
    rig.behave("a/1", { kind: "silent" });
    assert.deepEqual(await nextPoll(rig), [2, 1], way);
    rig.behave("a/1", { kind: "value" });
    await rig.clock.advance(1000);
    assert.deepEqual(await nextPoll(rig), [1, 2], way);
  }
});

test("a silent device is asked last and once by the process that comes after", async () => {
  for (const way of ["stop", "crash"] as const) {
    const devices = { dead: [1000], good: [1000] };
    const rig = await started({ ...TWO, devices, timeout: 200, retries: 1 });
    await rig.clock.advance(1500);
    rig.behave("a/1", { kind: "silent" });
    await rig.clock.advance(2000);
    if (way === "stop") await rig.stop();
    else rig.crash({ powerCut: true });
    await rig.start();
    assert.deepEqual(await nextPoll(rig), [2, 1], way);
  }
});

test("a dead device costs those that share its line one time-out a probe, and nothing in between", async () => {
  const timeout = 300;
  const line = { endpoint: "line", timeout };
  const rig = new Rig({
    gateways: [
      { ...TWO, ...line },
      { id: "b", devices: { good: [1000] }, phase: 200, retries: 0, ...line },
    ],
  });
  await rig.start();
  rig.behave("line/2", { kind: "silent" });
  while (deviceOf(rig, "dead")?.breaker !== "open") await rig.clock.advance(1000);
  rig.broker.delivered.length = 0;
  const probes = rig.seen.length;
  await rig.clock.advance(200_000);
  const late = toldOn(rig, "readings/b/good").map((reading) => reading.late ?? NaN);
  assert.ok(late.length >= 199 && late.every((ms) => ms <= timeout), String(Math.max(...late)));
  const asked = rig.seen.slice(probes).filter(({ request }) => request.unitId === 2);
  assert.equal(late.filter((ms) => ms > 5).length, asked.length);
  assert.equal(asked.length, 2, "after 30 s and 60 s more");
});
