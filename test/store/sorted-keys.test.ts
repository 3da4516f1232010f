import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SortedKeys } from "../support/sorted-keys.ts";

test("keys come out in order, whatever came and went, from any place on", () => {
  const key = fc.integer({ min: 0, max: 3000 }).map((n) => String(n).padStart(4, "0"));
  const keys = fc.uniqueArray(key, { minLength: 1200, maxLength: 1800 });
  const limit = fc.oneof(fc.integer({ min: 1, max: 900 }), fc.constant(Infinity));
  fc.assert(
    fc.property(keys, key, key, limit, fc.boolean(), (all, from, to, most, reverse) => {
      const sorted = new SortedKeys();
      for (const one of all) sorted.add(one);
      const left = all.filter((_, n) => n % 3 > 0).sort();
      for (const [n, one] of all.entries()) if (n % 3 === 0) sorted.remove(one);
      assert.deepEqual(sorted.all(), left);
      const within = left.filter((one) => one >= from && one < to);
      const wanted = (reverse ? within.reverse() : within).slice(0, most);
      assert.deepEqual(sorted.range(from, to, most, reverse), wanted);
    }),
    { numRuns: 10 },
  );
});
