import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as records from "../../src/core/records.ts";

const time = fc.integer({ min: 0, max: 4e12 });
const seq = fc.integer({ min: 1, max: 1e12 });
/** Objects as literals make them. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const id = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/);

test("a claim comes back as it was written, its due time to a thousandth of a millisecond", () => {
  const claim = plain({
    ...{ epoch: seq, claimed: seq, settled: seq, slot: time, boot: fc.uuid() },
    due: fc.double({ min: 0, max: 1e9, noNaN: true }),
  });
  fc.assert(
    fc.property(claim, (given) => {
      const back = records.decodeClaim(records.encodeClaim(given));
      assert.ok(Math.abs(back.due - given.due) <= 0.0006);
      assert.deepEqual({ ...back, due: 0 }, { ...given, due: 0 });
    }),
  );
});

test("ledger records come back as they were written", () => {
  const absence = fc.constantFrom(
    { outcome: "missed" as const, reason: "busy" as const },
    { outcome: "unknown" as const, reason: "store" as const },
  );
  const run = plain({
    from: seq,
    to: seq,
    slotFrom: time,
    slotTo: time,
    absence,
    told: seq,
    untoldSlot: time,
  });
  fc.assert(
    fc.property(id, run, (schedule, given) => {
      const key = records.keys.outcome(`${schedule}@1000`, 17, given.from);
      const back = records.decodeLedger(key, records.encodeRun(given));
      assert.deepEqual(back, { kind: "run", run: given });
    }),
  );
  const key = records.keys.outcome("a@1000", 17, 5);
  for (const late of [null, 0, 12.3]) {
    const back = records.decodeLedger(key, records.encodePoll("partial", late));
    assert.deepEqual(back, { kind: "poll", seq: 5, outcome: "partial", late });
  }
  const left = records.decodeLedger(key, records.encodePoll("failed", 1, ["x", "y"]));
  assert.deepEqual(left, { kind: "poll", seq: 5, outcome: "failed", late: 1, leftOut: ["x", "y"] });
});

test("a spooled message comes back as it was written, whatever stands in its payload", () => {
  const spooled = plain({
    topic: fc.tuple(id, id).map(([a, b]) => `readings/${a}/${b}`),
    ...{ retain: fc.boolean(), interval: time, slot: time, payload: fc.string({ unit: "binary" }) },
  });
  fc.assert(
    fc.property(spooled, (given) => {
      assert.deepEqual(records.decodeSpooled(records.encodeSpooled(given)), given);
    }),
  );
});

test("keys sort as their numbers do, and lie below their prefix and no other", () => {
  fc.assert(
    fc.property(id, seq, seq, (schedule, a, b) => {
      const { outcome, outcomes, spool, spoolStream } = records.keys;
      assert.equal(outcome(schedule, 9, a) < outcome(schedule, 9, b), a < b);
      assert.equal(spool(schedule, a) < spool(schedule, b), a < b);
      assert.equal(records.numberOf(spool(schedule, a)), a);
      assert.equal(records.streamOf(spool(schedule, a)), schedule);
      for (const [prefix, key] of [
        [outcomes(schedule, 9), outcome(schedule, 9, a)],
        [spoolStream(schedule), spool(schedule, a)],
      ] as const) {
        const { from, to } = records.below(prefix);
        assert.ok(from <= key && key < to);
        const other = prefix.replace(schedule, `${schedule}0`);
        assert.ok(other < from || other >= to);
      }
    }),
  );
});
