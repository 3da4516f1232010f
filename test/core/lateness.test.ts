import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LATE_BOUNDS, Lateness } from "../../src/core/lateness.ts";

const lates = fc.array(fc.double({ min: 0, max: 8000, noNaN: true }), { minLength: 1 });

function collected(values: readonly number[]): Lateness {
  const lateness = new Lateness();
  for (const late of values) lateness.add(late);
  return lateness;
}

test("every slot stands in the bucket of the first bound that holds it", () => {
  fc.assert(
    fc.property(lates, (values) => {
      const { histogram, bounds } = collected(values).summary();
      assert.deepEqual(bounds, LATE_BOUNDS);
      const expected = new Array<number>(LATE_BOUNDS.length + 1).fill(0);
      for (const late of values) {
        const place = LATE_BOUNDS.findIndex((bound) => late <= bound);
        const bucket = place < 0 ? LATE_BOUNDS.length : place;
        expected[bucket] = (expected[bucket] ?? 0) + 1;
      }
      assert.deepEqual(histogram, expected);
    }),
  );
});

test("percentiles are never below those of a plain sort, and above by one fine bucket at most", () => {
  fc.assert(
    fc.property(lates, (values) => {
      const { p50, p99, max } = collected(values).summary();
      const sorted = [...values].sort((a, b) => a - b);
      for (const [share, told] of [
        [0.5, p50],
        [0.99, p99],
      ] as const) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
        assert.ok((told ?? 0) >= exact - 0.1, `${String(told)} for ${String(exact)}`);
        const bound = exact > 400 ? Math.max(exact * 2.5, 500) : Math.max(exact * 1.7, 0.1);
        assert.ok((told ?? 0) <= bound + 0.1, `${String(told)} for ${String(exact)}`);
      }
      assert.equal(max, Math.round(Math.max(...values) * 10) / 10);
    }),
  );
});

test("without a slot there is nothing to tell", () => {
  const { p50, p99, max } = new Lateness().summary();
  assert.deepEqual([p50, p99, max], [null, null, null]);
});

test("what is kept goes on as if there had been no restart", () => {
  fc.assert(
    fc.property(lates, lates, (before, after) => {
      const restarted = new Lateness(collected(before).keep());
      for (const late of after) restarted.add(late);
      assert.deepEqual(restarted.summary(), collected([...before, ...after]).summary());
    }),
  );
});
