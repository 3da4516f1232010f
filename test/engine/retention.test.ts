/** What is too old goes, counted in elapsed time, and the account holds all the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keys, type HourRecord, type TotalRecord } from "../../src/core/records.ts";
import type { ScheduleRow } from "../../src/core/validation.ts";
import { Age } from "../../src/engine/age.ts";
import { validateStore } from "../../src/engine/validate.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { Rig, type RigParts } from "./rig.ts";

const HOUR = 3_600_000;
const A = "a@10000";

function site(keep: RigParts["keep"] = {}): RigParts {
  return { gateways: [{ id: "a", devices: { d: [10_000] }, phase: 0 }], keep };
}

/** The row of the schedule; nothing must be found. */
async function rowOf(rig: Rig): Promise<ScheduleRow> {
  const world = { store: rig.store, pause: () => Promise.resolve() };
  const { validation } = await validateStore(world, { since: 0 });
  assert.deepEqual(validation.findings, []);
  const [row] = validation.schedules;
  assert.ok(row !== undefined);
  return row;
}

function healthOf(rig: Rig): { good: number; down: number; seq: number } {
  const health = JSON.parse(rig.broker.retained("polling/health/a") ?? "{}") as {
    schedules: { seq: number; counts: { good: number; missed: { down?: number } } }[];
  };
  const [schedule] = health.schedules;
  return {
    good: schedule?.counts.good ?? 0,
    down: schedule?.counts.missed.down ?? 0,
    seq: schedule?.seq ?? 0,
  };
}

const outcomes = (rig: Rig): number => rig.disk(`outcome/${A}/`).size;

/** Five hours with a crash in the second one. */
async function fiveHours(keep: RigParts["keep"]): Promise<Rig> {
  const rig = new Rig(site(keep));
  await rig.start();
  await rig.clock.advance(1.5 * HOUR);
  rig.crash();
  await rig.clock.advance(600_000);
  await rig.start();
  await rig.clock.advance(3.4 * HOUR);
  return rig;
}

test("outcomes beyond their age become part of the total; validate and health count from there", async () => {
  const rig = await fiveHours({ outcomes: 2 * HOUR, hourly: 3 * HOUR });
  // Two hours and what of the third is not over.
  assert.ok(outcomes(rig) <= 3 * 360 && outcomes(rig) >= 2 * 360, String(outcomes(rig)));
  const total = JSON.parse(rig.disk(keys.total(A)).get(keys.total(A)) ?? "") as TotalRecord;
  const { good, unknown, missed } = total.counts;
  assert.equal(good + unknown + (missed.down ?? 0), total.at);
  assert.ok((missed.down ?? 0) >= 59);
  await rig.stop();
  const row = await rowOf(rig);
  assert.equal(row.due, row.good + row.unknown + (row.missed.down ?? 0));
  assert.ok(row.due > 1750 && row.late.p50 !== null);
  await rig.start();
  await rig.clock.advance(61_000);
  const { good: told, down, seq } = healthOf(rig);
  assert.ok(told >= row.good && told <= row.good + 7 && down >= 59 && seq > 1750);
  const hours = [...rig.disk(keys.hoursOf(A))].map(([, value]) => JSON.parse(value) as HourRecord);
  assert.equal(hours.length, 4);
  assert.ok((hours[2]?.at ?? 0) - (hours[1]?.at ?? 0) >= 354);
  await rig.stop();
});

test("an account that is lost is counted anew from the total and what is still there", async () => {
  const rig = await fiveHours({ outcomes: 2 * HOUR });
  await rig.stop();
  const before = await rowOf(rig);
  await rig.store.write([{ key: keys.account(A) }], true);
  await rig.start();
  await rig.clock.advance(61_000);
  assert.ok(Math.abs(healthOf(rig).good - before.good) <= 7);
  await rig.stop();
  assert.ok((await rowOf(rig)).due >= before.due);
});

test("a step of the wall clock deletes nothing, in either direction, nor does a reboot with another time", async () => {
  const rig = await fiveHours({ outcomes: 8 * HOUR, hourly: 8 * HOUR, audit: 8 * HOUR });
  const year = 365 * 24 * HOUR;
  const count = () => rig.disk("outcome/").size + rig.disk("audit/").size + rig.disk("hour/").size;
  let before = count();
  for (const step of [10 * year, -20 * year]) {
    rig.clock.stepWall(step);
    await rig.clock.advance(0.5 * HOUR);
    assert.ok(count() > before);
    before = count();
  }
  rig.crash();
  rig.reboot();
  rig.clock.stepWall(20 * year);
  await rig.start();
  await rig.clock.advance(0.5 * HOUR);
  assert.ok(count() > before);
  await rig.stop();
  await rowOf(rig);
});

test("beyond maxBytes the oldest outcomes go before their time, and an event says so; a day of them stays", async () => {
  const rig = new Rig({
    gateways: [{ id: "a", devices: { d: [600_000] }, phase: 0 }],
    keep: { maxBytes: 1000 },
  });
  const size = () => rig.disk("outcome/").size;
  await rig.start();
  await rig.clock.advance(40 * HOUR);
  const all = size();
  rig.storeBytes = 1001;
  await rig.clock.advance(120_000);
  assert.ok(size() < all && size() > 24 * 6, `${String(size())} of ${String(all)}`);
  await rig.clock.advance(1.5 * HOUR);
  assert.ok(size() >= 24 * 6 && size() <= 26 * 6 + 2, String(size()));
  const events = rig.broker.on("polling/node/events").filter((text) => text.includes("store-full"));
  assert.equal(events.length, 1);
  rig.storeBytes = 900;
  await rig.clock.advance(2 * HOUR);
  assert.ok(size() > 25 * 6);
  await rig.stop();
  const world = { store: rig.store, pause: () => Promise.resolve() };
  const { validation } = await validateStore(world, { since: 0 });
  assert.deepEqual(validation.findings, []);
});

test("age goes on over restarts within a boot, and stands still while it can't be known", async () => {
  const clock = createFakeClock({ elapsed: 5000 });
  const store = createMemoryStore();
  const first = new Age(clock);
  await first.load(store);
  assert.equal(first.now, 0);
  await clock.advance(1000);
  await store.write([first.keep()], true);
  await clock.advance(500);
  const second = new Age(clock);
  await second.load(store);
  assert.equal(second.now, 1500);
  const other = createFakeClock({ elapsed: 900_000, bootId: "boot-2", wall: 9e12 });
  const third = new Age(other);
  await third.load(store);
  assert.equal(third.now, 1000);
});

test("the audit trail is as old as the wall times that came since allow", () => {
  const day = 24 * HOUR;
  const clock = createFakeClock({ wall: 1000 * day });
  const { audit } = new Age(clock);
  audit.note(0);
  clock.stepWall(day);
  audit.note(day);
  clock.stepWall(day);
  assert.equal(audit.olderThan(-1), 0);
  assert.equal(audit.olderThan(day), 1001 * day);
  audit.note(2 * day);
  // The clock is set back by a year for a moment: what is stamped then is not older than that day.
  clock.stepWall(-365 * day);
  assert.equal(audit.note(2.5 * day).length, 1);
  clock.stepWall(366 * day);
  audit.note(3 * day);
  assert.equal(audit.olderThan(2 * day), (1002 - 365) * day);
  assert.equal(audit.olderThan(3 * day), 1003 * day);
});
