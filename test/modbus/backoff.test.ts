import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Backoff } from "../../src/modbus/backoff.ts";

/** How long connects are left alone after a failure at 0, to the ms. */
function waitOf(backoff: Backoff): number {
  let wait = 0;
  while (backoff.reasonAt(wait) !== undefined) wait += 1;
  return wait;
}

function waits(max: number, random: () => number, failures: number): number[] {
  const backoff = new Backoff(max, random);
  return Array.from({ length: failures }, () => {
    backoff.failed(0, "refused");
    return waitOf(backoff);
  });
}

test("waits double from 100 ms up to the maximum", () => {
  assert.deepEqual(
    waits(1000, () => 0, 6),
    [100, 200, 400, 500, 500, 500],
  );
});

test("jitter at most doubles a wait and never exceeds the maximum", () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.infiniteStream(unit), (max, randoms) => {
      const all = waits(max, () => Number(randoms.next().value), 8);
      const plain = waits(max, () => 0, 8);
      for (const [n, wait] of all.entries()) {
        assert.ok(wait <= max);
        assert.ok(wait >= (plain[n] ?? Infinity) && wait <= 2 * (plain[n] ?? 0));
      }
    }),
    { numRuns: 30 },
  );
});

test("a connect that succeeds ends the back-off and its doubling", () => {
  const backoff = new Backoff(10_000, () => 0);
  backoff.failed(0, "refused");
  backoff.failed(0, "refused");
  assert.equal(backoff.reasonAt(0), "refused");
  backoff.clear();
  assert.equal(backoff.reasonAt(0), undefined);
  backoff.failed(0, "refused");
  assert.equal(waitOf(backoff), 100);
});
