/**
 * The account of one schedule in one epoch: every seq from 1 on gets exactly one outcome, in rising
 * order but for the one slot that is being polled, whose outcome comes when it is known.
 */
import { EdgepollError } from "./errors.ts";
import { Lateness } from "./lateness.ts";
import { countAbsent, noCounts, type Absence, type Counts, type PolledOutcome } from "./outcome.ts";

/** Consecutive slots, with the nominal due times of the first and the last. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly slotFrom: number;
  readonly slotTo: number;
}

/** A range of slots without a reading, as told to subscribers. */
export interface Gap extends SlotRange {
  readonly absence: Absence;
}

/** Consecutive slots of one absence, as kept in the ledger. */
export interface Run extends Gap {
  /** Last seq that a gap message has told; `from - 1` before the first. */
  readonly told: number;
  /** Nominal due time of slot `told + 1`. */
  readonly untoldSlot: number;
}

/** What an event brings: runs to be written, and gaps to be told before and after the readings of the poll. */
export interface Change {
  readonly runs: readonly Run[];
  readonly before: readonly Gap[];
  readonly after: readonly Gap[];
}

/** What of an account outlives the process. */
export interface KeptAccount {
  readonly epoch: number;
  readonly counts: Counts;
  readonly lateness: { readonly fine: number[]; readonly max: number };
  /** All seqs up to this one are in `counts`. */
  readonly at: number;
}

const NOTHING: Change = { runs: [], before: [], after: [] };

/** One schedule's account; see the head of this file. */
export class Account {
  readonly epoch: number;
  readonly counts: Counts;
  readonly lateness: Lateness;
  #last: number;
  #polling: number | undefined;
  /** Runs that are not told in full, oldest first; the last one may still grow. */
  #runs: Run[] = [];

  constructor(kept: KeptAccount | number) {
    const from = typeof kept === "number" ? undefined : kept;
    this.epoch = typeof kept === "number" ? kept : kept.epoch;
    this.counts = structuredCloneOf(from?.counts ?? noCounts());
    this.lateness = new Lateness(from?.lateness);
    this.#last = from?.at ?? 0;
  }

  /** The last seq that has an outcome or is being polled. */
  get last(): number {
    return this.#last;
  }

  /** All seqs up to this one have an outcome. */
  get settled(): number {
    return this.#polling === undefined ? this.#last : this.#polling - 1;
  }

  /** The absence of the run that may still grow, if the last slot belongs to one. */
  get openRun(): Run | undefined {
    const run = this.#runs.at(-1);
    return run?.to === this.#last ? run : undefined;
  }

  /** What has to be kept to go on after a restart; only complete while nothing is being polled. */
  keep(): KeptAccount {
    const { epoch, counts } = this;
    return {
      epoch,
      counts: structuredCloneOf(counts),
      lateness: this.lateness.keep(),
      at: this.settled,
    };
  }

  /** A slot is being polled. */
  begin(seq: number): void {
    this.#expect(seq);
    this.#polling = seq;
    this.#last = seq;
  }

  /** The slot that was being polled has its outcome. `late` in ms, null when nothing was sent. */
  finish(outcome: PolledOutcome, late: number | null): Change {
    const seq = this.#polling;
    if (seq === undefined) throw new EdgepollError("INTERNAL", "no slot is being polled");
    this.#polling = undefined;
    this.counts[outcome]++;
    if (late !== null) this.lateness.add(late);
    if (this.#runs.length === 0) return NOTHING;
    const before = this.#tell((run) => run.to < seq);
    const after = this.#tell((run) => run.to < this.#last);
    return { runs: [...before.runs, ...after.runs], before: before.gaps, after: after.gaps };
  }

  /** The outcome of a slot that was polled could not be kept. */
  revise(outcome: PolledOutcome, absence: Absence): void {
    this.counts[outcome]--;
    countAbsent(this.counts, absence, 1);
  }

  /** Slots that get no reading. */
  absent(range: SlotRange, absence: Absence): Change {
    this.#expect(range.from);
    this.#last = range.to;
    countAbsent(this.counts, absence, range.to - range.from + 1);
    const run = this.#grown(range, absence);
    const told =
      this.#polling === undefined ? this.#tell((r) => r.to < range.from) : { runs: [], gaps: [] };
    return { runs: [...told.runs, run], before: told.gaps, after: [] };
  }

  /** Takes up a run of the ledger; the part of it that is already in the counts is not counted again. */
  resume(run: Run): void {
    const from = Math.max(run.from, this.#last + 1);
    this.#expect(from);
    if (run.to >= from) countAbsent(this.counts, run.absence, run.to - from + 1);
    this.#last = Math.max(this.#last, run.to);
    this.#runs.push(run);
  }

  /** Tells what is not yet told of a run that goes on (hourly), or of all at the end of the account. */
  tellOpen(): Change {
    if (this.#polling !== undefined) return { runs: [], before: [], after: [] };
    const open = this.openRun;
    const told = this.#tell(() => true);
    if (open !== undefined) this.#runs.push({ ...open, told: open.to });
    return { runs: told.runs, before: told.gaps, after: [] };
  }

  #expect(seq: number): void {
    if (seq === this.#last + 1) return;
    throw new EdgepollError("INTERNAL", `slot ${String(seq)} after slot ${String(this.#last)}`);
  }

  #grown(range: SlotRange, absence: Absence): Run {
    const last = this.#runs.at(-1);
    if (last?.to === range.from - 1 && last.absence.reason === absence.reason) {
      const untoldSlot = last.told === last.to ? range.slotFrom : last.untoldSlot;
      const grown = { ...last, to: range.to, slotTo: range.slotTo, untoldSlot };
      this.#runs[this.#runs.length - 1] = grown;
      return grown;
    }
    const run = newRun(range, absence);
    this.#runs.push(run);
    return run;
  }

  #tell(due: (run: Run) => boolean): { runs: Run[]; gaps: Gap[] } {
    const telling = this.#runs.filter(due);
    this.#runs = this.#runs.filter((run) => !due(run));
    const fresh = telling.filter((run) => run.told < run.to);
    const gaps = fresh.map(({ told, to, untoldSlot, slotTo, absence }) => {
      return { from: told + 1, to, slotFrom: untoldSlot, slotTo, absence };
    });
    return { runs: fresh.map((run) => ({ ...run, told: run.to })), gaps };
  }
}

function newRun(range: SlotRange, absence: Absence): Run {
  return { ...range, absence, told: range.from - 1, untoldSlot: range.slotFrom };
}

function structuredCloneOf(counts: Counts): Counts {
  return { ...counts, missed: { ...counts.missed } };
}
