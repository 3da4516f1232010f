import assert from "node:assert/strict";
import { platform } from "node:os";
import { test } from "node:test";
import { createClock, suspendBefore, suspendSince } from "../../src/system/clock.ts";

void test("a suspend before the process counts, the imprecision of the uptime does not", () => {
  assert.equal(suspendBefore({ monotonic: 10_000, uptime: 10_000 + 3_600_000 }, 50), 3_600_000);
  assert.equal(suspendBefore({ monotonic: 10_000, uptime: 10_050 }, 50), 0);
  assert.equal(suspendBefore({ monotonic: 10_000, uptime: 9_990 }, 50), 0);
  // A container may count its uptime from its own start.
  assert.equal(suspendBefore({ monotonic: 1e9, uptime: 5_000 }, 50), 0);
});

void test("a suspend counts once, short ones together, and time never goes back", () => {
  const reading = { monotonic: 50_000, uptime: 57_000 };
  assert.equal(suspendSince(reading, 0, 100), 7_000);
  assert.equal(suspendSince(reading, 7_000, 100), 0);
  assert.equal(suspendSince({ monotonic: 60_000, uptime: 67_080 }, 7_000, 100), 0);
  assert.equal(suspendSince({ monotonic: 60_000, uptime: 67_160 }, 7_000, 100), 160);
  assert.equal(suspendSince({ monotonic: 60_000, uptime: 62_000 }, 7_000, 100), 0);
});

void test("elapsed time takes up a suspend when it is noticed, and only then", () => {
  let [monotonic, uptime] = [10_000, 15_000];
  const clock = createClock(
    () => monotonic,
    () => uptime,
  );
  assert.equal(clock.elapsed(), 15_000);
  monotonic += 1_000;
  uptime += 61_000;
  assert.equal(clock.elapsed(), 16_000);
  assert.equal(clock.noticeSuspend(), 60_000);
  assert.equal(clock.elapsed(), 76_000);
  assert.equal(clock.noticeSuspend(), 0);
});

void test("a wait between the looks at the two clocks is no suspend", () => {
  let time = 10_000;
  // Whoever is looked at second has moved on by then.
  const waits = () => (time += 200);
  const clock = createClock(waits, waits);
  const before = clock.elapsed();
  assert.equal(clock.elapsed() - before, 200);
  assert.equal(before, time - 200, "elapsed time is monotonic time");
  time += 5_000;
  assert.equal(clock.noticeSuspend(), 0);
});

void test("two clocks of one machine agree on elapsed time and boot", () => {
  const [one, two] = [createClock(), createClock()];
  assert.ok(Math.abs(one.elapsed() - two.elapsed()) < 50);
  assert.equal(one.bootId, two.bootId);
  assert.equal(one.noticeSuspend(), 0);
  if (platform() === "linux") assert.match(one.bootId, /^[0-9a-f-]{36}$/);
});

void test("a timer wakes once, also when its delay is too long for Node, and a cancelled one does not", async () => {
  const clock = createClock();
  const before = clock.elapsed();
  let tooEarly = false;
  const cancelLong = clock.timer(2 ** 40, () => (tooEarly = true));
  const cancel = clock.timer(1, () => (tooEarly = true));
  cancel();
  await new Promise<void>((resolve) => clock.timer(20, resolve));
  cancelLong();
  assert.equal(tooEarly, false);
  assert.ok(clock.elapsed() - before >= 19);
});
