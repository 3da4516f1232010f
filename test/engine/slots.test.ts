/** Claims, lateness, misses and the clock: the rules of slots. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { claimOf, eventsOf, outcomesOf, timesOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };

async function started(
  ...gateways: ConstructorParameters<typeof Rig>[0]["gateways"]
): Promise<Rig> {
  const rig = new Rig({ gateways });
  await rig.start();
  return rig;
}

test("P1: no request is sent before its claim is on disk", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(1500);
  const before = rig.seen.length;
  rig.store.hold();
  await rig.clock.advance(700);
  assert.equal(rig.seen.length, before, "the claim waits for the disk, and the poll for the claim");
  rig.store.release();
  await rig.clock.advance(60);
  assert.equal(rig.seen.length, before + 1);
  assert.equal(toldOn(rig, "readings/a/d").at(-1)?.late, 200);
});

test("all slots due within the horizon are claimed in one batch", async () => {
  const gateways = ["a", "b", "c"].map((id) => ({ ...ONE, id }));
  const rig = await started(...gateways);
  await rig.clock.advance(1500);
  rig.store.hold();
  await rig.clock.advance(499);
  assert.equal(rig.store.pendingWrites(), 1);
  rig.store.release();
  await rig.clock.settle();
  for (const id of ["a", "b", "c"]) assert.equal(claimOf(rig, `${id}@1000`).claimed, 3);
});

test("slots that are due within 40 ms of one another are claimed in one batch", async () => {
  const rig = await started({ ...ONE, phase: 0 }, { ...ONE, id: "b", phase: 40 });
  await rig.clock.advance(1500);
  rig.store.hold();
  await rig.clock.advance(499);
  assert.equal(rig.store.pendingWrites(), 1);
  rig.store.release();
  await rig.clock.settle();
  for (const id of ["a", "b"]) assert.equal(claimOf(rig, `${id}@1000`).claimed, 3);
});

test("an outcome waits a twentieth of its interval for company, 20 ms at least and 50 at most", async () => {
  for (const [interval, patience] of [
    [100, 20],
    [500, 25],
    [5000, 50],
  ] as const) {
    const rig = await started({ id: "a", devices: { d: [interval] }, phase: 0 });
    await rig.clock.advance(interval - 1);
    const before = toldOn(rig, "readings/a/d").length;
    await rig.clock.advance(patience);
    assert.equal(toldOn(rig, "readings/a/d").length, before, `${String(interval)} ms`);
    await rig.clock.advance(2);
    assert.equal(toldOn(rig, "readings/a/d").length, before + 1, `${String(interval)} ms`);
  }
});

test("a horizon longer than the interval claims several slots of a schedule, and each is polled at its time", async () => {
  const rig = new Rig({ gateways: [ONE], claimAhead: 3000 });
  await rig.start();
  await rig.clock.advance(100);
  assert.equal(claimOf(rig, "a@1000").claimed, 4);
  await rig.clock.advance(4000);
  assert.deepEqual(timesOf(rig, "a"), [0, 1000, 2000, 3000, 4000]);
});

test("a claim that can't be written until the grace ends is missed for the store's sake", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(100);
  rig.store.failNext(1000);
  await rig.clock.advance(5000);
  assert.equal(rig.seen.length, 1);
  rig.store.failNext(0);
  await rig.clock.advance(2500);
  const outcomes = outcomesOf(rig, "a@1000");
  for (const seq of [2, 3, 4, 5]) assert.equal(outcomes[seq], "store");
  assert.equal(outcomes[7], "good");
});

test("a slot is given up when its grace ends, though the disk hangs", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(100);
  rig.store.hold();
  await rig.clock.advance(5000);
  const reply = JSON.stringify(await rig.engine.ask("status", "{}", "test"));
  assert.match(reply, /"missed":\{"store":4\}/);
});

test("while the disk fails, claims are tried four times a second and not more often", async () => {
  const rig = await started({ ...ONE, devices: { d: [100] } });
  await rig.clock.advance(1000);
  let tries = 0;
  const write = rig.store.write.bind(rig.store);
  rig.store.write = (batch, sync) => {
    tries++;
    return write(batch, sync);
  };
  rig.store.failNext(1e9);
  await rig.clock.advance(20_000);
  // Ten slots a second ask for a claim, and four times a second all open ones are tried again.
  assert.ok(tries < 20 * 20, `${String(tries)} tries in 20 s`);
  assert.ok(rig.clock.pendingTimers() < 12, `${String(rig.clock.pendingTimers())} timers`);
});

test("a slot starts late within its grace, and is missed beyond it: late", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(500);
  await rig.clock.stall(990);
  await rig.clock.advance(100);
  assert.equal(outcomesOf(rig, "a@1000")[2], "good");
  assert.equal(toldOn(rig, "readings/a/d").at(-1)?.late, 490);
  await rig.clock.stall(1950);
  await rig.clock.advance(1500);
  const outcomes = outcomesOf(rig, "a@1000");
  assert.deepEqual([outcomes[3], outcomes[4], outcomes[5]], ["late", "late", "good"]);
});

test("a slot is missed as busy when the one before is unsettled at the end of its grace", async () => {
  const rig = new Rig({ gateways: [{ ...ONE, timeout: 1800, retries: 0 }] });
  rig.behave("a", { kind: "value", ms: 1700 });
  await rig.start();
  await rig.clock.advance(4700);
  const outcomes = outcomesOf(rig, "a@1000");
  assert.deepEqual(
    [outcomes[1], outcomes[2], outcomes[3], outcomes[4]],
    ["good", "busy", "good", "busy"],
  );
});

test("an outcome that is being written keeps no slot from its poll", async () => {
  const rig = new Rig({ gateways: [ONE], claimAhead: 3000 });
  await rig.start();
  await rig.clock.advance(500);
  rig.store.hold();
  await rig.clock.advance(2000);
  assert.equal(rig.seen.length, 3);
  rig.store.release();
  await rig.clock.advance(10);
  assert.deepEqual(Object.values(outcomesOf(rig, "a@1000")), ["good", "good", "good"]);
});

test("an outcome that can't be written for 10 s is unknown, and a gap takes the place of its readings", async () => {
  const rig = new Rig({ gateways: [ONE], claimAhead: 3000 });
  await rig.start();
  await rig.clock.advance(500);
  rig.store.failNext(1e9);
  await rig.clock.advance(14_000);
  rig.store.failNext(0);
  await rig.clock.advance(3000);
  await rig.stop();
  assert.equal(outcomesOf(rig, "a@1000")[2], "store");
  const gap = toldOn(rig, "gaps/a").find(({ outcome }) => outcome === "unknown");
  assert.deepEqual([gap?.from, gap?.to, gap?.reason], [2, 2, "store"]);
  assert.ok(!toldOn(rig, "readings/a/d").some(({ seq }) => seq === 2));
});

test("while the machine sleeps slots are missed as suspended, in one run, and an event tells of it", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(3500);
  rig.clock.suspend(60_000);
  await rig.clock.advance(3000);
  const outcomes = outcomesOf(rig, "a@1000");
  assert.deepEqual([outcomes[4], outcomes[5], outcomes[60]], ["good", "suspended", "suspended"]);
  assert.equal(Object.values(outcomes).at(-1), "good");
  assert.ok(eventsOf(rig).includes("suspended"));
  assert.ok(!eventsOf(rig).includes("clock-step"));
});

test("a stopped gateway takes a suspend for no step of the clock", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(500);
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(500);
  rig.clock.suspend(60_000);
  await rig.engine.ask("status", "{}", "test");
  await rig.clock.advance(5000);
  assert.ok(!eventsOf(rig).includes("clock-step"), String(eventsOf(rig)));
});

for (const hours of [1, -1]) {
  test(`when the wall clock steps by ${String(hours)} h one interval is longer, the seq goes on, and an event tells`, async () => {
    const rig = await started(ONE);
    await rig.clock.advance(2500);
    rig.clock.stepWall(hours * 3_600_000 + 300);
    await rig.clock.advance(6000);
    const readings = toldOn(rig, "readings/a/d");
    assert.deepEqual(
      readings.map(({ seq }) => seq),
      Array.from(readings, (_, i) => i + 1),
    );
    const times = timesOf(rig, "a");
    const lengths = times.slice(1).map((time, i) => Math.round(time - (times[i] ?? 0)));
    assert.deepEqual(
      lengths.filter((length) => length !== 1000),
      [1700],
    );
    for (const { slot = 0 } of readings) assert.equal(slot % 1000, 0);
    assert.equal(eventsOf(rig).filter((kind) => kind === "clock-step").length, 1);
    const way = hours > 0 ? "forward by 1h" : "back by 59m59s";
    const told = rig.broker.on("polling/node/events").find((text) => text.includes("clock-step"));
    assert.ok(told?.includes(`"text":"the wall clock was set ${way}; no slot is left out`), told);
  });
}
