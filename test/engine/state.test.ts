/** Retained state: health, availability, meta, node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0, retries: 0 };

/** Fields of health that tests look at. */
interface Health {
  readonly state: string;
  readonly desired: string;
  readonly since: number;
  readonly reason?: string;
  readonly online: boolean;
  readonly successRate: { readonly hour: number | null };
  readonly schedules: readonly {
    seq: number;
    nextSlot: number | null;
    counts: { good: number; missed: Record<string, number> };
  }[];
  readonly devices: readonly {
    online: boolean | null;
    failures: number;
    since: number;
    reason?: string;
  }[];
}

function healthOf(rig: Rig): Health {
  // The topic carries health as JSON.
  return JSON.parse(rig.broker.retained("polling/health/a") ?? "{}") as Health;
}

async function started(parts: Partial<ConstructorParameters<typeof Rig>[0]> = {}): Promise<Rig> {
  const rig = new Rig({ gateways: [ONE], ...parts });
  await rig.start();
  return rig;
}

test("health is published when it changes, at most once a second, and every 60 s", async () => {
  const rig = await started();
  await rig.clock.advance(10_500);
  const count = () => rig.broker.on("polling/health/a").length;
  const calm = count();
  await rig.clock.advance(120_000);
  assert.equal(count() - calm, 2);
  const before = count();
  for (let i = 0; i < 50; i++) {
    await rig.engine.ask(i % 2 === 0 ? "stop" : "start", "a", "test");
    await rig.clock.advance(100);
  }
  assert.ok(count() - before <= 6, String(count() - before));
  assert.ok(count() - before >= 4, String(count() - before));
});

test("P7: a device that fails shows it with the reason, a change of reason too, and only a good read clears it", async () => {
  const rig = await started();
  await rig.clock.advance(2500);
  assert.deepEqual([healthOf(rig).state, healthOf(rig).online], ["running", true]);
  rig.behave("a", { kind: "silent" });
  await rig.clock.advance(4000);
  assert.deepEqual([healthOf(rig).state, healthOf(rig).reason], ["degraded", "timeout"]);
  assert.equal(rig.broker.retained("polling/availability/a/d"), "offline");
  rig.behave("a", { kind: "refuse" });
  await rig.clock.advance(4000);
  assert.equal(healthOf(rig).reason, "connect_failed");
  rig.behave("a", { kind: "exception", code: 2 });
  await rig.clock.advance(4000);
  assert.deepEqual([healthOf(rig).state, healthOf(rig).devices[0]?.failures], ["degraded", 0]);
  rig.behave("a", { kind: "value" });
  await rig.clock.advance(4000);
  assert.deepEqual([healthOf(rig).state, healthOf(rig).reason], ["running", undefined]);
  assert.equal(rig.broker.retained("polling/availability/a/d"), "online");
});

test("P7: another reason shows in health, and is neither an event nor another beginning", async () => {
  const rig = await started({ gateways: [{ ...ONE, failureThreshold: 20 }] });
  await rig.clock.advance(1500);
  rig.behave("a", { kind: "silent" });
  await rig.clock.advance(2000);
  const { since, devices } = healthOf(rig);
  for (const kind of ["bad-frame", "refuse", "silent", "bad-frame"] as const) {
    rig.behave("a", { kind });
    await rig.clock.advance(2000);
  }
  const now = healthOf(rig);
  assert.deepEqual([now.reason, now.devices[0]?.reason], ["bad_frame", "bad_frame"]);
  assert.deepEqual([now.since, now.devices[0]?.since], [since, devices[0]?.since]);
  const events = eventsOf(rig).filter((kind) => kind.startsWith("device"));
  assert.deepEqual(events, ["device-offline"]);
});

test("P7: the state of a device outlives the process", async () => {
  const rig = new Rig({ gateways: [ONE] });
  rig.behave("a", { kind: "silent" });
  await rig.start();
  await rig.clock.advance(5500);
  rig.crash({ powerCut: true });
  rig.broker.delivered.length = 0;
  await rig.start();
  assert.equal(healthOf(rig).state, "degraded");
  assert.ok((healthOf(rig).devices[0]?.failures ?? 0) > 0);
});

test("a stopped gateway is offline, has no next slot, and is not degraded", async () => {
  const rig = await started();
  await rig.clock.advance(2500);
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(3000);
  const health = healthOf(rig);
  assert.deepEqual([health.state, health.desired, health.online], ["stopped", "stopped", false]);
  assert.equal(health.schedules[0]?.nextSlot, null);
  assert.equal(rig.broker.retained("polling/availability/a"), "offline");
  assert.equal(rig.broker.retained("polling/availability/a/d"), "offline");
});

test("a device never polled has no availability topic and does not degrade its gateway", async () => {
  const rig = await started({
    gateways: [{ ...ONE, devices: { d: [1000], later: [60_000] }, phase: 500 }],
  });
  await rig.clock.advance(3000);
  assert.equal(rig.broker.retained("polling/availability/a/later"), undefined);
  assert.equal(healthOf(rig).state, "running");
});

test("the success rate is good slots of those due and not stopped: missed ones count", async () => {
  const rig = await started();
  await rig.clock.advance(9500);
  await rig.clock.stall(10_000);
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(60_000);
  const [schedule] = healthOf(rig).schedules;
  const { good = 0, missed = {} } = schedule?.counts ?? {};
  const due = good + (missed["late"] ?? 0);
  assert.ok((missed["late"] ?? 0) >= 8);
  assert.equal(healthOf(rig).successRate.hour, Math.round((good / due) * 10_000) / 10_000);
});

test("meta, info and state of the node are there after the start, and again after each connect", async () => {
  const rig = await started();
  await rig.clock.advance(100);
  rig.broker.away();
  rig.broker.delivered.length = 0;
  rig.broker.back();
  await rig.clock.advance(100);
  for (const topic of [
    "meta/a",
    "node/info",
    "node/health",
    "node/state",
    "health/a",
    "availability/a",
  ]) {
    assert.notEqual(rig.broker.retained(`polling/${topic}`), undefined, topic);
  }
  assert.equal(rig.broker.retained("polling/node/state"), "online");
});

test("retained state does not wait behind the spool", async () => {
  const rig = await started();
  rig.broker.away();
  await rig.clock.advance(100_500);
  await rig.engine.ask("stop", "a", "test");
  rig.broker.delivered.length = 0;
  rig.broker.back();
  await rig.clock.advance(100);
  const topics = rig.broker.delivered.map(({ topic }) => topic);
  assert.ok(topics.indexOf("polling/health/a") < topics.indexOf("polling/readings/a/d"));
});

test("readings do not wait behind retained state: after a connect the two take turns", async () => {
  const ids = Array.from({ length: 50 }, (_, n) => `g${String(n)}`);
  const rig = new Rig({ gateways: ids.map((id) => ({ id, devices: { d: [1000] }, phase: 0 })) });
  await rig.start();
  await rig.clock.advance(2500);
  rig.broker.away();
  await rig.clock.advance(1000);
  const before = rig.broker.delivered.length;
  rig.broker.back();
  await rig.clock.settle();
  const sent = rig.broker.delivered.slice(before);
  const readings = sent.findLastIndex(({ topic }) => topic.startsWith("polling/readings/"));
  assert.equal(sent.filter(({ topic }) => topic.startsWith("polling/readings/")).length, 50);
  assert.ok(sent.length > 200, "four topics of each gateway");
  assert.ok(readings <= 105, `the last reading is message ${String(readings)}`);
});

test("node health is published every 30 s", async () => {
  const rig = await started();
  await rig.clock.advance(500);
  const before = rig.broker.on("polling/node/health").length;
  await rig.clock.advance(120_000);
  assert.equal(rig.broker.on("polling/node/health").length - before, 4);
});
