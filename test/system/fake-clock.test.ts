import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../support/fake-clock.ts";

test("timers fire at their time, in order of due time, equal ones in the order they were armed", async () => {
  const clock = createFakeClock({ elapsed: 0 });
  const seen: string[] = [];
  for (const [name, delay] of [
    ["c", 30],
    ["a", 10],
    ["b1", 20],
    ["b2", 20],
  ] as const) {
    clock.timer(delay, () => seen.push(`${name}@${String(clock.elapsed())}`));
  }
  await clock.advance(20);
  assert.deepEqual(seen, ["a@10", "b1@20", "b2@20"]);
  assert.equal(clock.pendingTimers(), 1);
});

test("a chain of promises and a re-armed timer come to rest before the next timer fires", async () => {
  const clock = createFakeClock({ elapsed: 0 });
  const seen: string[] = [];
  const chain = async (): Promise<void> => {
    for (let step = 0; step < 20; step += 1) await Promise.resolve();
    seen.push(`chain@${String(clock.elapsed())}`);
    clock.timer(2, () => seen.push(`again@${String(clock.elapsed())}`));
  };
  clock.timer(5, () => void chain());
  clock.timer(6, () => seen.push("six"));
  await clock.advance(10);
  assert.deepEqual(seen, ["chain@5", "six", "again@7"]);
  assert.equal(clock.elapsed(), 10);
});

test("a cancelled timer does not fire and is not counted, also when cancelled twice or after firing", async () => {
  const clock = createFakeClock();
  let fired = 0;
  const cancel = clock.timer(5, () => (fired += 1));
  const cancelLate = clock.timer(1, () => (fired += 10));
  cancel();
  cancel();
  await clock.advance(10);
  cancelLate();
  assert.equal(fired, 10);
  assert.equal(clock.pendingTimers(), 0);
});

test("a step of the wall leaves elapsed time and timers alone", async () => {
  const clock = createFakeClock({ wall: 1000, elapsed: 50 });
  clock.stepWall(-600);
  assert.deepEqual([clock.wall(), clock.elapsed()], [400, 50]);
  await clock.advance(10);
  assert.deepEqual([clock.wall(), clock.elapsed()], [410, 60]);
});

test("a suspend moves the wall at once, elapsed when noticed, and fires no timer", async () => {
  const clock = createFakeClock({ wall: 0, elapsed: 0 });
  let fired = false;
  clock.timer(100, () => (fired = true));
  clock.suspend(5000);
  assert.deepEqual([clock.wall(), clock.elapsed()], [5000, 0]);
  assert.equal(clock.noticeSuspend(), 5000);
  assert.equal(clock.noticeSuspend(), 0);
  assert.equal(clock.elapsed(), 5000);
  await clock.advance(99);
  assert.equal(fired, false);
  await clock.advance(1);
  assert.equal(fired, true);
});

test("after a stall the timers that came due meanwhile fire late, each once", async () => {
  const clock = createFakeClock({ elapsed: 0 });
  const seen: number[] = [];
  clock.timer(10, () => seen.push(clock.elapsed()));
  clock.timer(20, () => seen.push(clock.elapsed()));
  clock.timer(500, () => seen.push(clock.elapsed()));
  await clock.stall(350);
  assert.deepEqual(seen, [350, 350]);
});

test("timers can fire early, as those of Node do", async () => {
  const clock = createFakeClock({ elapsed: 0, jitter: () => -1 });
  const seen: number[] = [];
  clock.timer(10, () => seen.push(clock.elapsed()));
  await clock.advance(10);
  assert.deepEqual(seen, [9]);
});

test("ten thousand timers armed in no order fire in order", async () => {
  const clock = createFakeClock({ elapsed: 0 });
  const seen: number[] = [];
  for (let n = 0; n < 10_000; n += 1) {
    clock.timer(1 + ((n * 7919) % 5000), () => seen.push(clock.elapsed()));
  }
  await clock.advance(5000);
  assert.equal(seen.length, 10_000);
  assert.ok(seen.every((at, n) => n === 0 || at >= (seen[n - 1] ?? 0)));
});
