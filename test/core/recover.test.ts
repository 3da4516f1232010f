import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Account, type Gap, type Run } from "../../src/core/account.ts";
import { advance, graceOf, layGrid } from "../../src/core/grid.ts";
import { dueOf, type Absence } from "../../src/core/outcome.ts";
import type { Claim, LedgerRecord } from "../../src/core/records.ts";
import { recover, type Found, type Recovered } from "../../src/core/recover.ts";

const INTERVAL = 1000;
const PHASE = 300;
const OFFSET = 1_795_400_000_000;

/** What stands on disk after each batch. */
interface Disk {
  readonly claim: Claim;
  readonly records: ReadonlyMap<number, LedgerRecord>;
  readonly kept: Found["kept"];
  /** Seqs that gap messages have told. */
  readonly told: ReadonlySet<number>;
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant("poll" as const) },
  fc.constantFrom("busy" as const, "stopped" as const, "tell" as const, "keep" as const),
);

/** Plays a schedule batch by batch, and returns the disk after each. */
function historyOf(steps: readonly ("poll" | "busy" | "stopped" | "tell" | "keep")[]): Disk[] {
  const account = new Account(9);
  const records = new Map<number, LedgerRecord>();
  const told = new Set<number>();
  let next = layGrid({ interval: INTERVAL, phase: PHASE, seq: 1 }, 5000, OFFSET);
  let claim: Claim | undefined;
  let kept = account.keep();
  const disks: Disk[] = [];
  const write = (runs: readonly Run[], gaps: readonly Gap[]): void => {
    for (const run of runs) records.set(run.from, { kind: "run", run });
    for (const { from, to } of gaps) for (let seq = from; seq <= to; seq++) told.add(seq);
  };
  const save = (): void => {
    if (claim === undefined) return;
    disks.push({ claim, records: new Map(records), kept, told: new Set(told) });
  };
  for (const now of steps) {
    const { seq, slot, due } = next;
    if (now === "keep") kept = account.keep();
    else if (now === "tell") {
      const { runs, before } = account.tellOpen();
      write(runs, before);
    } else {
      const settled = account.settled;
      claim = { epoch: 9, claimed: seq, settled, slot, due, boot: "boot-1" };
      next = advance(next, 1, OFFSET).grid;
      if (now === "poll") {
        save();
        account.begin(seq);
        const { runs, before, after } = account.finish("good", 1.5);
        records.set(seq, { kind: "poll", seq, outcome: "good", late: 1.5 });
        write(runs, [...before, ...after]);
      } else {
        const absence: Absence = { outcome: "missed", reason: now };
        const range = { from: seq, to: seq, slotFrom: slot, slotTo: slot };
        const { runs, before, after } = account.absent(range, absence);
        write(runs, [...before, ...after]);
      }
    }
    save();
  }
  return disks;
}

/** Records as they are read: from the last one at or before what is kept, on. */
function readFrom({ records, kept }: Disk): LedgerRecord[] {
  const all = [...records].sort(([a], [b]) => a - b);
  const first = all.findLastIndex(([seq]) => seq <= kept.at);
  return all.slice(Math.max(0, first)).map(([, record]) => record);
}

function foundOf(disk: Disk, change: Partial<Found> = {}): Found {
  const { claim, kept } = disk;
  const elapsed = claim.due + 12_345;
  const now = { elapsed, wall: elapsed + OFFSET, boot: "boot-1" };
  const records = readFrom(disk);
  const base = { interval: INTERVAL, phase: PHASE, claim, kept, records, stopped: false, now };
  return { ...base, ...change };
}

const disk = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat())
  .map(([steps, cut]) => {
    const disks = historyOf(["poll", ...steps]);
    return disks[cut % disks.length] ?? disks[0];
  })
  .filter((found): found is Disk => found !== undefined);

function gapsOf({ changes }: Recovered): Gap[] {
  return changes.flatMap(({ before, after }) => [...before, ...after]);
}

/** Ledger of the schedule once the recovery is written. */
function ledgerAfter(before: Disk, recovered: Recovered): Map<number, string> {
  const records = new Map(before.records);
  for (const { runs } of recovered.changes) {
    for (const run of runs) records.set(run.from, { kind: "run", run });
  }
  const outcomes = new Map<number, string>();
  for (const record of records.values()) {
    if (record.kind === "poll") outcomes.set(record.seq, record.outcome);
    else {
      const { from, to, absence } = record.run;
      for (let seq = from; seq <= to; seq++) {
        assert.equal(outcomes.has(seq), false, `${String(seq)} stands twice`);
        outcomes.set(seq, absence.reason);
      }
    }
  }
  return outcomes;
}

test("P2: cut anywhere, every seq has one outcome: as it was, unknown when claimed, else down", () => {
  fc.assert(
    fc.property(disk, fc.boolean(), (before, stopped) => {
      const recovered = recover(foundOf(before, { stopped }));
      const outcomes = ledgerAfter(before, recovered);
      assert.equal(outcomes.size, recovered.account.last);
      assert.equal(dueOf(recovered.account.counts), recovered.account.last);
      for (let seq = 1; seq <= recovered.account.last; seq++) {
        const was = [...before.records.values()].find((record) =>
          record.kind === "poll"
            ? record.seq === seq
            : record.run.from <= seq && seq <= record.run.to,
        );
        if (was?.kind === "poll") assert.equal(outcomes.get(seq), "good");
        else if (was?.kind === "run") assert.equal(outcomes.get(seq), was.run.absence.reason);
        else if (seq <= before.claim.claimed) assert.equal(outcomes.get(seq), "crash");
        else assert.equal(outcomes.get(seq), stopped ? "stopped" : "down");
      }
    }),
  );
});

test("P1: the next slot was never claimed, lies on the phase, and is the first whose grace has not ended", () => {
  fc.assert(
    fc.property(disk, fc.double({ min: 0, max: 90_000, noNaN: true }), (before, away) => {
      const elapsed = before.claim.due + away;
      const now = { elapsed, wall: elapsed + OFFSET, boot: "boot-1" };
      const { next, account } = recover(foundOf(before, { now }));
      assert.ok(next.seq > before.claim.claimed);
      assert.equal(next.seq, account.last + 1);
      assert.equal(next.slot % INTERVAL, PHASE);
      assert.ok(next.due + graceOf(INTERVAL) > elapsed);
      assert.ok(
        next.due + graceOf(INTERVAL) <= elapsed + INTERVAL || next.seq === before.claim.claimed + 1,
      );
    }),
  );
});

test("gaps that were told are not told again, and what is told is told once", () => {
  fc.assert(
    fc.property(disk, (before) => {
      const recovered = recover(foundOf(before));
      const { account } = recovered;
      const told = new Set(before.told);
      const more = [...gapsOf(recovered), ...account.tellOpen().before];
      for (const { from, to } of more) {
        for (let seq = from; seq <= to; seq++) {
          assert.equal(told.has(seq), false, `${String(seq)} is told twice`);
          told.add(seq);
        }
      }
      const outcomes = ledgerAfter(before, recovered);
      for (const [seq, outcome] of outcomes) assert.equal(told.has(seq), outcome !== "good");
    }),
  );
});

test("after a reboot the wall clock carries the grid on", () => {
  fc.assert(
    fc.property(disk, fc.integer({ min: 0, max: 3_600_000 }), (before, away) => {
      const now = { elapsed: 77, wall: before.claim.slot + away, boot: "boot-2" };
      const { next, account, ended } = recover(foundOf(before, { now }));
      assert.equal(ended, undefined);
      assert.equal(account.epoch, 9);
      assert.equal((next.slot - before.claim.slot) / INTERVAL, next.seq - before.claim.claimed);
      assert.ok(Math.abs(next.slot - next.due - (now.wall - now.elapsed)) < 0.01);
    }),
  );
});

test("after a reboot with the clock behind the last record a new epoch begins, a full interval away", () => {
  fc.assert(
    fc.property(disk, fc.integer({ min: 1, max: 3_600_000 }), (before, behind) => {
      const now = { elapsed: 77, wall: before.claim.slot - behind, boot: "boot-2" };
      const { next, account, ended, changes } = recover(foundOf(before, { now }));
      assert.ok(account.epoch > 9);
      assert.equal(next.seq, 1);
      assert.ok(next.due >= now.elapsed + INTERVAL);
      assert.equal(next.slot % INTERVAL, PHASE);
      assert.equal(ended?.last, before.claim.claimed);
      const told = new Set(before.told);
      for (const { from, to } of changes.flatMap((change) => [...change.before, ...change.after])) {
        for (let seq = from; seq <= to; seq++) told.add(seq);
      }
      const polled = [...before.records.values()].filter(({ kind }) => kind === "poll").length;
      assert.equal(told.size + polled, before.claim.claimed, "its gaps are told to the end");
    }),
  );
});

test("another phase moves the grid by less than an interval, and the seq goes on", () => {
  fc.assert(
    fc.property(disk, fc.integer({ min: 0, max: 99 }), (before, tens) => {
      const elapsed = before.claim.due + 100;
      const now = { elapsed, wall: elapsed + OFFSET, boot: "boot-1" };
      const { next } = recover(foundOf(before, { now, phase: tens * 10 }));
      assert.equal(next.slot % INTERVAL, tens * 10);
      assert.equal(next.seq, before.claim.claimed + 1);
      const length = next.due - before.claim.due;
      assert.ok(length >= INTERVAL - 0.01 && length < 2 * INTERVAL);
    }),
  );
});

test("a clock that was stepped while the process was away is told of with the slots it moved", () => {
  const [first] = historyOf(["poll"]);
  assert.ok(first !== undefined);
  const elapsed = first.claim.due + 100;
  const now = { elapsed, wall: elapsed + OFFSET + 3_600_000, boot: "boot-1" };
  const { step, next } = recover(foundOf(first, { now }));
  assert.ok(step !== undefined);
  assert.equal(step.seq, 2);
  assert.ok(Math.abs(step.size - 3_600_000) < 1);
  assert.equal(next.seq, 2);
});
