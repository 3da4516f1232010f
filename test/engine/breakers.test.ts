/** Devices that give no answer, on the fake clock: left out, probed, and what they cost the others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeLedger } from "../../src/core/records.ts";
import { askedOf, DEAD, deviceOf, gapBetween, healthOf, opened, started, TWO } from "./dead.ts";
import type { Behaviour } from "./fakes.ts";
import { keptFaultsOf } from "./kept.ts";
import { eventsOf, outcomesOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

test("a silent device is left out after its row, probed once at widening distances, and costs no slot", async () => {
  const rig = await opened();
  const from = rig.seen.length;
  const failures = deviceOf(rig, "dead")?.failures ?? 0;
  assert.ok(failures >= 10 && failures <= 12, `10 s of a 1 s schedule: ${String(failures)}`);
  await rig.clock.advance(400_000);
  const probes = rig.seen.slice(from).filter(({ request }) => request.unitId === 2);
  const apart = gapBetween(probes.map(({ time }) => time));
  assert.deepEqual(
    apart.map((ms) => Math.round(ms / 1000)),
    [61, 121, 121],
    "30 s after it opened, then 60 s, 120 s and never more, each in the next slot",
  );
  const outcomes = Object.values(outcomesOf(rig, "a@1000"));
  assert.ok(outcomes.every((outcome) => ["good", "partial"].includes(outcome)));
  assert.equal(deviceOf(rig, "dead")?.failures, failures + probes.length);
});

test("a device left out has a reading with that reason, and its name in the record of the slot", async () => {
  const rig = await opened();
  await rig.clock.advance(5000);
  const last = toldOn(rig, "readings/a/dead").at(-1);
  assert.deepEqual([last?.quality, last?.reason, last?.values], ["bad", "breaker_open", {}]);
  assert.equal(toldOn(rig, "readings/a/good").at(-1)?.quality, "good");
  const [key = "", value = ""] = [...rig.disk("outcome/a@1000/")].at(-1) ?? [];
  const record = decodeLedger(key, value);
  assert.ok(record.kind === "poll");
  assert.deepEqual([record.outcome, record.leftOut], ["partial", ["dead"]]);
});

test("an answered probe closes the breaker, and the rest of the plan follows in the same poll", async () => {
  const wide = { good: [1000], dead: [1000, 1000] };
  const rig = await opened({ ...TWO, devices: wide });
  rig.behave(DEAD, { kind: "value" });
  const from = rig.seen.length;
  await rig.clock.advance(33_000);
  assert.equal(deviceOf(rig, "dead")?.breaker, "closed");
  const first = rig.seen.slice(from).find(({ request }) => request.unitId === 2);
  const same = rig.seen.filter(({ time }) => Math.abs(time - (first?.time ?? 0)) < 900);
  assert.deepEqual(
    same.map(({ request }) => [request.unitId, request.address]),
    [
      [1, 0],
      [2, 0],
      [2, 100],
    ],
  );
  assert.deepEqual([healthOf(rig).state, deviceOf(rig, "dead")?.failures], ["running", 0]);
  assert.deepEqual(
    eventsOf(rig).filter((kind) => kind.startsWith("device")),
    ["device-offline", "device-open", "device-closed"],
  );
});

test("exceptions 1 to 8 never open a breaker, 10 and 11 do", async () => {
  for (const [code, breaker] of [
    [2, "closed"],
    [6, "closed"],
    [10, "open"],
    [11, "open"],
  ] as const) {
    const rig = await started();
    rig.behave(DEAD, { kind: "exception", code });
    await rig.clock.advance(15_000);
    assert.equal(deviceOf(rig, "dead")?.breaker, breaker, String(code));
    assert.equal(deviceOf(rig, "dead")?.reason, "exception");
    assert.equal(deviceOf(rig, "dead")?.online, false);
  }
});

test("P7: an exception answers a probe and closes the breaker, and only a good read clears the rest", async () => {
  const rig = await opened();
  rig.behave(DEAD, { kind: "exception", code: 2 });
  await rig.clock.advance(33_000);
  const answers = deviceOf(rig, "dead");
  assert.deepEqual(
    [answers?.breaker, answers?.failures, answers?.online, answers?.reason],
    ["closed", 0, false, "exception"],
  );
  assert.equal(healthOf(rig).state, "degraded");
  rig.behave(DEAD, { kind: "value" });
  await rig.clock.advance(2500);
  assert.deepEqual([deviceOf(rig, "dead")?.online, healthOf(rig).state], [true, "running"]);
});

test("when all are open the gateway is disabled, slots are missed: disabled and nothing is claimed to be read", async () => {
  const rig = await started({ ...TWO, devices: { one: [1000] } });
  await rig.clock.advance(1500);
  rig.behave("a", { kind: "silent" });
  await rig.clock.advance(13_000);
  assert.deepEqual([healthOf(rig).state, healthOf(rig).reason], ["disabled", "timeout"]);
  const from = rig.seen.length;
  const readings = toldOn(rig, "readings/a/one").length;
  await rig.clock.advance(25_000);
  assert.equal(rig.seen.length, from, "nothing is sent");
  assert.equal(toldOn(rig, "readings/a/one").length, readings, "nothing is read");
  const outcomes = Object.values(outcomesOf(rig, "a@1000"));
  assert.deepEqual([...new Set(outcomes.slice(-24))], ["disabled"]);
  await rig.clock.advance(8000);
  assert.equal(rig.seen.length, from + 1, "one probe");
  const [gap] = toldOn(rig, "gaps/a");
  assert.deepEqual([gap?.outcome, gap?.reason], ["missed", "disabled"]);
  rig.behave("a", { kind: "value" });
  await rig.clock.advance(65_000);
  assert.deepEqual([healthOf(rig).state, outcomesOf(rig, "a@1000")[80]], ["running", "disabled"]);
});

test("at most one probe a poll, the longest waiting first", async () => {
  const four = { id: "a", devices: { w: [1000], x: [1000], y: [1000], z: [1000] } };
  const rig = await started({ ...TWO, ...four });
  for (const unit of [3, 1, 4, 2]) {
    rig.behave(`a/${String(unit)}`, { kind: "exception", code: 11 });
    await rig.clock.advance(3000);
  }
  await rig.clock.advance(12_000);
  // Meanwhile all of them become due.
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(60_000);
  await rig.engine.ask("start", "a", "test");
  const from = rig.seen.length;
  await rig.clock.advance(6000);
  const probes = rig.seen.slice(from).map(({ request, time }) => [request.unitId, time]);
  assert.deepEqual(
    probes.map(([unit]) => unit),
    [3, 1, 4, 2],
  );
  assert.deepEqual(gapBetween(probes.map(([, time]) => Math.round((time ?? 0) / 1000))), [1, 1, 1]);
});

test("devices opened by a connection that failed are probed one a slot once it is back", async () => {
  const devices = { w: [1000], x: [1000], y: [1000] };
  const rig = await started({ ...TWO, devices, probe: { first: 30_000, max: 300_000 } });
  rig.behave("a", { kind: "refuse" });
  await rig.clock.advance(100_000);
  assert.equal(healthOf(rig).state, "disabled");
  rig.behave("a", { kind: "value" });
  const from = rig.seen.length;
  while (rig.seen.length === from) await rig.clock.advance(500);
  await rig.clock.advance(3000);
  assert.deepEqual(
    healthOf(rig).devices.map(({ breaker }) => breaker),
    ["closed", "closed", "closed"],
  );
  const firsts = [1, 2, 3].map(
    (unit) => rig.seen.slice(from).find(({ request }) => request.unitId === unit)?.time ?? 0,
  );
  assert.deepEqual(
    gapBetween(firsts.sort((a, b) => a - b)).map((ms) => Math.round(ms / 1000)),
    [1, 1],
  );
});

test("the schedules of a gateway share the breaker of a device", async () => {
  const rig = await started({ ...TWO, devices: { good: [1000], dead: [1000, 5000] } });
  rig.behave(DEAD, { kind: "silent" });
  await rig.clock.advance(16_000);
  assert.equal(deviceOf(rig, "dead")?.breaker, "open");
  const from = askedOf(rig, 2).length;
  await rig.clock.advance(20_000);
  assert.equal(askedOf(rig, 2).length, from, "nor does the other schedule ask it");
  assert.equal(outcomesOf(rig, "a@5000")[6], "disabled", "which has no other device");
  rig.behave(DEAD, { kind: "value" });
  await rig.clock.advance(20_000);
  assert.equal(outcomesOf(rig, "a@5000")[11], "good");
});

test("a stop in the middle of a poll says nothing of the devices that it did not get to", async () => {
  const rig = await started({ ...TWO, failureThreshold: 1 });
  await rig.clock.advance(1500);
  const before = deviceOf(rig, "dead");
  rig.behave("a/1", { kind: "silent" });
  await rig.clock.advance(600);
  void rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(3000);
  assert.equal(toldOn(rig, "readings/a/dead").at(-1)?.reason, "stopped");
  assert.deepEqual(deviceOf(rig, "dead"), before);
});

test("a probe that was stopped before it was sent is due as before", async () => {
  const rig = await opened();
  rig.behave("a/1", { kind: "value", ms: 400 });
  const due = Math.ceil((deviceOf(rig, "dead")?.nextProbe ?? 0) / 1000) * 1000;
  await rig.clock.advance(due - rig.clock.wall() + 100);
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(5000);
  const asked = askedOf(rig, 2).length;
  await rig.engine.ask("start", "a", "test");
  await rig.clock.advance(2000);
  assert.equal(askedOf(rig, 2).length, asked + 1);
});

test("the breaker, its row, reason and next probe outlive the process, a crash and a boot too", async () => {
  for (const way of ["stop", "crash", "boot"] as const) {
    const rig = await opened();
    const before = healthOf(rig);
    if (way === "stop") await rig.stop();
    else rig.crash({ powerCut: true });
    rig.broker.delivered.length = 0;
    await rig.clock.advance(1000);
    if (way === "boot") rig.reboot();
    await rig.start();
    const asked = rig.seen.length;
    const [, dead] = healthOf(rig).devices;
    const [, then] = before.devices;
    const { nextProbe = 0, ...rest } = dead ?? {};
    const { nextProbe: was = 0, ...same } = then ?? {};
    assert.deepEqual(rest, same, way);
    assert.ok(Math.abs(nextProbe - was) <= 1, way);
    await rig.clock.advance(was - rig.clock.wall() - 1500);
    const units = new Set(rig.seen.slice(asked).map(({ request }) => request.unitId));
    assert.deepEqual([...units], [1], way);
    await rig.clock.advance(4000);
    assert.ok(askedOf(rig, 2).length > 0);
    assert.equal(deviceOf(rig, "dead")?.failures, (then?.failures ?? 0) + 1, way);
  }
});

test("a kill at any moment finds on disk what was told of a device: opened, probed, answering, well", async () => {
  const probe = { first: 2000, max: 4000 };
  const rig = await started({ ...TWO, timeout: 200, probe });
  const watched = [{ id: "a", interval: 1000, devices: ["good", "dead"] }];
  const turns: [number, Behaviour][] = [
    [2500, { kind: "silent" }],
    [18_500, { kind: "exception", code: 11 }],
    [25_500, { kind: "exception", code: 2 }],
    [32_500, { kind: "value" }],
  ];
  for (let ms = 0; ms < 40_000; ms += 100) {
    for (const [at, behaviour] of turns) if (at === ms) rig.behave(DEAD, behaviour);
    await rig.clock.advance(100);
    assert.deepEqual(keptFaultsOf(rig, watched), [], `${String(ms)} ms`);
  }
  const kinds = eventsOf(rig).filter((kind) => kind.startsWith("device"));
  assert.deepEqual(kinds, ["device-offline", "device-open", "device-closed", "device-online"]);
});

test("a record of before breakers were kept is taken as it is", async () => {
  const rig = new Rig({ gateways: [TWO] });
  const dead = { online: false, failures: 40, since: 5, reason: "timeout" };
  const record = { desired: "running", since: 1, by: null, devices: { dead } };
  await rig.store.write([{ key: "gateway/a", value: JSON.stringify(record) }], true);
  rig.behave(DEAD, { kind: "silent" });
  await rig.start();
  const found = deviceOf(rig, "dead");
  assert.deepEqual([found?.breaker, found?.failures, found?.since], ["closed", 40, 5]);
  await rig.clock.advance(9000);
  assert.equal(deviceOf(rig, "dead")?.breaker, "closed", "when its row began is not known");
  await rig.clock.advance(4000);
  assert.equal(deviceOf(rig, "dead")?.breaker, "open");
});

test("a device that comes and goes tells its state at most once a slot", async () => {
  const rig = await started({ ...TWO, failureThreshold: 1, probe: { first: 1000, max: 1000 } });
  await rig.clock.advance(1500);
  const topics = ["polling/health/a", "polling/availability/a/dead", "polling/node/events"];
  const counts = () => topics.map((topic) => rig.broker.on(topic).length);
  const before = counts();
  for (let i = 0; i < 120; i++) {
    rig.behave(DEAD, { kind: Math.floor(i / 13) % 2 === 0 ? "silent" : "value" });
    await rig.clock.advance(1000);
  }
  counts().forEach((count, i) => {
    assert.ok(count - (before[i] ?? 0) <= 122, `${topics[i] ?? ""} ${String(count)}`);
  });
});
