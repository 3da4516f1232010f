/** When a schedule counts as stalled, and when errors are too many. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOK_EVERY, Watch, areTooMany, recentErrors } from "../../src/core/supervision.ts";

/** ms watched at the look that finds the schedule stalled, with so many ms from look to look. */
function stalledAfter(interval: number, passed = LOOK_EVERY): number {
  const watch = new Watch();
  for (let looks = 0; looks < 1000; looks++) {
    watch.look(1, 7, passed);
    if (watch.isStalled(interval)) return looks * passed;
  }
  return Infinity;
}

test("a schedule that does not move is stalled after three intervals", () => {
  assert.equal(stalledAfter(10_000), 30_000);
  assert.equal(stalledAfter(60_000), 180_000);
});

test("a short interval takes three looks, so that the scheduler had its turn", () => {
  assert.equal(stalledAfter(10), 3000);
  assert.equal(stalledAfter(1000), 3000);
});

test("a slot that is begun or accounted, a new epoch, or a restart begins the watch anew", () => {
  const watch = new Watch();
  for (let seq = 1; seq < 100; seq++) {
    watch.look(1, seq, 60_000);
    assert.equal(watch.still, 0);
  }
  watch.look(1, 99, 1000);
  assert.equal(watch.still, 1000);
  watch.look(2, 99, 1000);
  assert.equal(watch.still, 0);
  watch.look(2, 99, 1000);
  watch.reset();
  watch.look(2, 99, 1000);
  assert.equal(watch.still, 0);
});

test("time in which the process was held up itself was not watched", () => {
  const watch = new Watch();
  watch.look(1, 7, 0);
  watch.look(1, 7, 3_600_000);
  assert.equal(watch.isStalled(1000), false);
});

test("three errors within a minute are too many", () => {
  assert.equal(areTooMany(recentErrors([0, 30_000], 30_000)), false);
  assert.equal(areTooMany(recentErrors([0, 30_000, 59_999], 59_999)), true);
  assert.equal(areTooMany(recentErrors([0, 30_000, 60_000], 60_000)), false);
  assert.deepEqual(recentErrors([1, 2, 3, 4], 5), [2, 3, 4]);
});
