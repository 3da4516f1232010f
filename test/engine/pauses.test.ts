/** The pauses that slow devices need, and connections that last one poll. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomesOf, timesOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const PAUSE = { afterConnect: 0, betweenRequests: 20, betweenUnits: 50 };
const ONE = { id: "a", devices: { d: [1000, 1000] }, phase: 0, pause: PAUSE };

/** ms between the end of each request, answered after 5 ms, and the next one. */
function pausesOf(rig: Rig, endpoint: string): number[] {
  const times = timesOf(rig, endpoint);
  return times.slice(1).map((time, n) => time - (times[n] ?? 0) - 5);
}

test("a pause lies between two requests, a longer one before another unit", async () => {
  const devices = { one: [1000, 1000], two: [1000], three: [1000] };
  const rig = new Rig({ gateways: [{ ...ONE, devices }] });
  rig.behave("a", { kind: "value", ms: 5 });
  await rig.start();
  await rig.clock.advance(500);
  assert.deepEqual(pausesOf(rig, "a"), [20, 50, 50]);
  const shorter = { ...PAUSE, betweenUnits: 10 };
  const other = new Rig({ gateways: [{ ...ONE, devices, pause: shorter }] });
  other.behave("a", { kind: "value", ms: 5 });
  await other.start();
  await other.clock.advance(500);
  assert.deepEqual(pausesOf(other, "a"), [20, 20, 20]);
});

test("pauses are kept between gateways of one endpoint, and before what a person reads", async () => {
  const gateways = ["a", "b"].map((id) => ({
    ...ONE,
    id,
    devices: { d: [1000] },
    endpoint: "line",
  }));
  const rig = new Rig({ gateways });
  rig.behave("line", { kind: "value", ms: 5 });
  await rig.start();
  await rig.clock.advance(1);
  const reading = rig.engine.read({
    ...{ unitId: 9, table: "holding", address: 0, count: 1, timeout: 100, gateway: "a" },
  });
  await rig.clock.advance(500);
  assert.equal((await reading).ok, true);
  assert.deepEqual(
    pausesOf(rig, "line").map((pause, n) => [rig.seen[n + 1]?.request.unitId, pause]),
    [
      [1, 20],
      [9, 50],
    ],
  );
});

test("a timer that fires early does not shorten a pause", async () => {
  const rig = new Rig({ gateways: [ONE], clock: { jitter: () => -0.6 } });
  rig.behave("a", { kind: "value", ms: 5 });
  await rig.start();
  await rig.clock.advance(1500);
  const times = timesOf(rig, "a");
  const within = times.filter((_, n) => n % 2 === 1).map((time, n) => time - (times[2 * n] ?? 0));
  assert.ok(within.length > 0 && within.every((ms) => ms >= 24.4), within.join(" "));
});

test("a stop in a pause ends the poll at once, and nothing more is sent", async () => {
  const pause = { ...PAUSE, betweenRequests: 400 };
  const rig = new Rig({ gateways: [{ ...ONE, pause }] });
  await rig.start();
  await rig.clock.advance(50);
  void rig.engine.ask("stop", '{"gateway":"a"}', "test");
  await rig.clock.advance(50);
  assert.equal(rig.seen.length, 1);
  assert.deepEqual(toldOn(rig, "readings/a/d")[0]?.errors, { p1: { reason: "stopped" } });
  await rig.clock.advance(2000);
  assert.equal(rig.seen.length, 1);
});

test("a retry that fits only without its pause is not sent", async () => {
  const pause = { ...PAUSE, betweenRequests: 400 };
  const parts = { ...ONE, devices: { d: [1000] }, timeout: 400, pause };
  const rig = new Rig({ gateways: [parts] });
  rig.behave("a", { kind: "silent" });
  await rig.start();
  await rig.clock.advance(900);
  assert.equal(rig.seen.length, 1);
  assert.equal(outcomesOf(rig, "a@1000")[1], "failed");
});

test("closeAfterPoll closes the connection when a poll has ended and nobody else is on the lane", async () => {
  const gateways = ["a", "b"].map((id) => ({ ...ONE, id, endpoint: "line", closeAfterPoll: true }));
  const rig = new Rig({ gateways });
  rig.behave("line", { kind: "value", ms: 5 });
  await rig.start();
  await rig.clock.advance(900);
  assert.equal(rig.seen.length, 4);
  const last = timesOf(rig, "line").at(-1) ?? 0;
  const first = rig.seen[0]?.at ?? 0;
  assert.deepEqual(
    rig.released.map(({ at }) => at - first),
    [last + 5 - (timesOf(rig, "line")[0] ?? 0)],
  );
  await rig.clock.advance(1000);
  assert.equal(rig.released.length, 2, "once a slot");
  const kept = new Rig({ gateways: [ONE] });
  await kept.start();
  await kept.clock.advance(900);
  assert.deepEqual(kept.released, []);
});
