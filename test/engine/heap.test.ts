/** The scheduler's heap against a plain list. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { TimeHeap } from "../../src/engine/heap.ts";

const ITEMS = Array.from({ length: 30 }, (_, name) => ({ name }));

type Step = { readonly set: number; readonly time: number } | { readonly takeUntil: number };

const time = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(Infinity));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ set: fc.nat(ITEMS.length - 1), time }),
  fc.record({ takeUntil: fc.integer({ min: 0, max: 40 }) }),
);

test("gives items back by their latest time, whatever was set and taken before", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const heap = new TimeHeap<object>();
      const list = new Map<object, number>();
      for (const each of steps) {
        if ("set" in each) {
          const item = ITEMS[each.set];
          assert.ok(item);
          heap.set(item, each.time);
          if (each.time === Infinity) list.delete(item);
          else list.set(item, each.time);
        } else {
          const least = Math.min(...list.values());
          const taken = heap.takeDue(each.takeUntil);
          if (least > each.takeUntil) assert.equal(taken, undefined);
          else {
            assert.ok(taken);
            assert.equal(list.get(taken), least);
            list.delete(taken);
          }
        }
        assert.equal(heap.earliest, Math.min(...list.values()));
      }
    }),
  );
});
