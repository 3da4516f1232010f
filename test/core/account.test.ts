import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Account, type Change, type Gap, type Run } from "../../src/core/account.ts";
import { dueOf, type Absence, type PolledOutcome } from "../../src/core/outcome.ts";

type Event =
  | { readonly do: "begin" | "tell" }
  | { readonly do: "finish"; readonly outcome: PolledOutcome }
  | { readonly do: "absent"; readonly count: number; readonly absence: Absence };

const absence = fc.constantFrom<Absence[]>(
  { outcome: "missed", reason: "busy" },
  { outcome: "missed", reason: "stopped" },
  { outcome: "missed", reason: "late" },
  { outcome: "unknown", reason: "crash" },
);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constant({ do: "begin" as const }),
  fc.record({
    do: fc.constant("finish" as const),
    outcome: fc.constantFrom<PolledOutcome[]>("good", "partial", "failed"),
  }),
  fc.record({ do: fc.constant("absent" as const), count: fc.integer({ min: 1, max: 5 }), absence }),
  fc.constant({ do: "tell" as const }),
);

/** What subscribers and the disk got to see. */
interface Seen {
  /** Gaps and polled seqs in the order told. */
  readonly order: (Gap | number)[];
  /** Runs on disk by their first seq. */
  readonly runs: Map<number, Run>;
  readonly polled: Set<number>;
}

const slotOf = (seq: number): number => seq * 1000;

function take(seen: Seen, change: Change, polled?: number): void {
  for (const run of change.runs) seen.runs.set(run.from, run);
  seen.order.push(...change.before);
  if (polled !== undefined) {
    seen.order.push(polled);
    seen.polled.add(polled);
  }
  seen.order.push(...change.after);
}

function play(account: Account, events: readonly Event[]): Seen {
  const seen: Seen = { order: [], runs: new Map(), polled: new Set() };
  let polling: number | undefined;
  for (const now of events) {
    if (now.do === "begin" && polling === undefined) account.begin((polling = account.last + 1));
    if (now.do === "finish" && polling !== undefined) {
      take(seen, account.finish(now.outcome, 1), polling);
      polling = undefined;
    }
    if (now.do === "tell") take(seen, account.tellOpen());
    if (now.do === "absent") {
      const [from, to] = [account.last + 1, account.last + now.count];
      const range = { from, to, slotFrom: slotOf(from), slotTo: slotOf(to) };
      take(seen, account.absent(range, now.absence));
    }
  }
  if (polling !== undefined) take(seen, account.finish("good", 1), polling);
  take(seen, account.tellOpen());
  return seen;
}

const events = fc.array(event, { maxLength: 60 });

test("every seq has one outcome, and the counts add up to the last seq", () => {
  fc.assert(
    fc.property(events, (all) => {
      const account = new Account(7);
      const { runs, polled } = play(account, all);
      const covered = [...polled];
      for (const { from, to } of runs.values()) {
        for (let seq = from; seq <= to; seq++) covered.push(seq);
      }
      covered.sort((a, b) => a - b);
      assert.deepEqual(
        covered,
        Array.from({ length: account.last }, (_, i) => i + 1),
      );
      assert.equal(dueOf(account.counts), account.last);
      assert.equal(account.settled, account.last);
    }),
  );
});

test("every seq without a reading stands in one gap, in order with the readings, with its times and reason", () => {
  fc.assert(
    fc.property(events, (all) => {
      const account = new Account(7);
      const { order, runs } = play(account, all);
      let last = 0;
      for (const one of order) {
        const [from, to] = typeof one === "number" ? [one, one] : [one.from, one.to];
        assert.equal(from, last + 1, "nothing is told twice, late or not at all");
        last = to;
        if (typeof one === "number") continue;
        assert.deepEqual([one.slotFrom, one.slotTo], [slotOf(from), slotOf(to)]);
        const run = [...runs.values()].find((r) => r.from <= from && to <= r.to);
        assert.ok(run !== undefined);
        assert.deepEqual([run.absence, run.told], [one.absence, run.to]);
      }
      assert.equal(last, account.last);
    }),
  );
});

test("a run is told when it ends, and not before", () => {
  const account = new Account(7);
  const range = { from: 1, to: 3, slotFrom: 1000, slotTo: 3000 };
  const begun = account.absent(range, { outcome: "missed", reason: "down" });
  assert.deepEqual([begun.before, begun.after], [[], []]);
  account.begin(4);
  const ended = account.finish("good", 0);
  assert.deepEqual(
    ended.before.map(({ from, to }) => [from, to]),
    [[1, 3]],
  );
  assert.deepEqual(ended.runs[0]?.told, 3);
});

test("an hourly gap continues where the last one ended", () => {
  const account = new Account(7);
  const stopped: Absence = { outcome: "missed", reason: "stopped" };
  account.absent({ from: 1, to: 3, slotFrom: 1000, slotTo: 3000 }, stopped);
  assert.equal(account.tellOpen().before[0]?.to, 3);
  assert.deepEqual(account.tellOpen().before, []);
  account.absent({ from: 4, to: 6, slotFrom: 4000, slotTo: 6000 }, stopped);
  const [gap] = account.tellOpen().before;
  assert.deepEqual([gap?.from, gap?.to, gap?.slotFrom], [4, 6, 4000]);
});

test("slots are accounted in their order, or it is a bug", () => {
  const account = new Account(7);
  assert.throws(() => {
    account.begin(2);
  }, /slot 2 after slot 0/);
  assert.throws(() => account.finish("good", 0), /no slot is being polled/);
});
