/** Devices that ask for time: exceptions 5 and 6. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Behaviour } from "./fakes.ts";
import { outcomesOf, timesOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0, timeout: 200, retries: 2 };
const BUSY: Behaviour = { kind: "exception", code: 6 };

/** From the n-th request on an endpoint, or one unit of it, behaves as told. */
function afterRequests(rig: Rig, count: number, where: string, then: Behaviour): void {
  rig.onSeen = () => {
    if (rig.seen.length >= count) rig.behave(where, then);
  };
}

test("P1: a busy device is asked again within the slot, as often as retries allow", async () => {
  const rig = new Rig({ gateways: [ONE] });
  rig.behave("a", BUSY);
  await rig.start();
  await rig.clock.advance(900);
  assert.deepEqual(timesOf(rig, "a"), [0, 101, 202]);
  const [reading] = toldOn(rig, "readings/a/d");
  assert.deepEqual([reading?.quality, reading?.reason], ["bad", "exception"]);
  assert.equal(outcomesOf(rig, "a@1000")[1], "partial");
});

test("what a busy device answers in the end is its reading", async () => {
  const rig = new Rig({ gateways: [ONE] });
  rig.behave("a", BUSY);
  afterRequests(rig, 2, "a", { kind: "value", ms: 3 });
  await rig.start();
  await rig.clock.advance(900);
  assert.equal(rig.seen.length, 3);
  const [reading] = toldOn(rig, "readings/a/d");
  assert.deepEqual([reading?.quality, reading?.values], ["good", { p0: 7 }]);
  assert.equal((reading?.ts ?? 0) - (reading?.slot ?? 0), 205);
  assert.equal(outcomesOf(rig, "a@1000")[1], "good");
});

test("a busy device holds up neither its neighbours nor its other requests", async () => {
  const devices = { one: [1000, 1000], two: [1000] };
  const rig = new Rig({ gateways: [{ ...ONE, devices, retries: 1 }] });
  rig.behave("a/1", BUSY);
  await rig.start();
  await rig.clock.advance(900);
  const seen = rig.seen.map(({ request }) => [request.unitId, request.address]);
  assert.deepEqual(seen, [
    [1, 0],
    [1, 100],
    [2, 0],
    [1, 0],
    [1, 100],
  ]);
  assert.equal(toldOn(rig, "readings/a/two")[0]?.quality, "good");
});

test("a device at work is asked again when the slot ends, as far as a second away", async () => {
  for (const [interval, ms] of [
    [1000, 800],
    [10_000, 1001],
  ] as const) {
    const rig = new Rig({ gateways: [{ ...ONE, devices: { d: [interval] }, retries: 1 }] });
    rig.behave("a", { kind: "exception", code: 5 });
    await rig.start();
    while (rig.seen.length === 0) await rig.clock.advance(100);
    await rig.clock.advance(interval - 110);
    assert.deepEqual(timesOf(rig, "a"), [0, ms]);
  }
});

test("a repeat that would not end before the next slot is not sent", async () => {
  const rig = new Rig({ gateways: [{ ...ONE, timeout: 950 }] });
  rig.behave("a", BUSY);
  await rig.start();
  await rig.clock.advance(1900);
  const slots = toldOn(rig, "readings/a/d").length;
  assert.equal(rig.seen.length, slots);
});

test("a stop ends the wait for a busy device, and what it said stands in the reading", async () => {
  const rig = new Rig({ gateways: [{ ...ONE, devices: { d: [10_000] }, retries: 1 }] });
  rig.behave("a", { kind: "exception", code: 5 });
  await rig.start();
  while (rig.seen.length === 0) await rig.clock.advance(100);
  void rig.engine.ask("stop", '{"gateway":"a"}', "test");
  await rig.clock.advance(20);
  assert.equal(toldOn(rig, "readings/a/d")[0]?.reason, "exception");
  await rig.clock.advance(5000);
  assert.equal(rig.seen.length, 1);
});
