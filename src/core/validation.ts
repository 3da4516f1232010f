/** What a look through the ledger came to: a row a schedule, and what is wrong in words. */
import { Lateness } from "./lateness.ts";
import { dueOf, noCounts, type Counts, type MissReason } from "./outcome.ts";

/** Findings that are told one by one; the rest is counted. */
const MOST_FINDINGS = 100;

/** What can be wrong with a ledger. */
export type FindingKind =
  | "hole"
  | "double"
  | "count"
  | "claim"
  | "damaged"
  | "repaired"
  | "spool"
  | "no-next-slot"
  | "stalled";

/** Something that is wrong, in words. */
export interface Finding {
  readonly kind: FindingKind;
  readonly gateway?: string;
  /** ms. */
  readonly interval?: number;
  readonly epoch?: number;
  /** First and last seq, or number of the spool, that it is about. */
  readonly from?: number;
  readonly to?: number;
  /** What is wrong and the likely cause. */
  readonly text: string;
  /** The command to try next, for a command line that is called `edgepoll`. */
  readonly next: string;
}

/** The longest run of slots without a reading; slots that were stopped on command are none. */
export interface WorstGap {
  readonly slots: number;
  /** Nominal due times of its first and last slot. */
  readonly slotFrom: number;
  readonly slotTo: number;
  /** Of its longest part: `unknown`, or why the slots were missed. */
  readonly reason: MissReason | "unknown";
  /** Slots of that part; fewer than `slots` when several reasons follow on each other. */
  readonly longest: number;
}

/** The account of one schedule over all its epochs. due = good + partial + failed + missed + unknown + lost. */
export interface ScheduleRow {
  readonly gateway: string;
  /** ms. */
  readonly interval: number;
  readonly epochs: number;
  readonly due: number;
  readonly good: number;
  readonly partial: number;
  readonly failed: number;
  readonly missed: Partial<Record<MissReason, number>>;
  readonly unknown: number;
  /** Slots that should have an outcome and have none; each lies in a finding. */
  readonly lost: number;
  /** Slots that are claimed and whose outcome is still to come: of a node that died, unknown once one starts. */
  readonly open: number;
  readonly worstGap: WorstGap | null;
  /** How late slots started, ms. */
  readonly late: { readonly p50: number | null; readonly p99: number | null };
}

/** The data of a reply to `validate`. */
export interface Validation {
  /** Records that were read. */
  readonly records: number;
  readonly schedules: readonly ScheduleRow[];
  readonly findings: readonly Finding[];
  /** Further findings that are not told one by one. */
  readonly more: number;
}

/** Collects findings; bounded. */
export class Findings {
  readonly told: Finding[] = [];
  more = 0;

  add(finding: Finding): void {
    if (this.told.length < MOST_FINDINGS) this.told.push(finding);
    else this.more++;
  }

  get count(): number {
    return this.told.length + this.more;
  }
}

/** What a row is drawn from; fed record by record. */
export class Tally {
  readonly counts: Counts = noCounts();
  readonly lateness: Lateness;
  lost = 0;
  open = 0;
  epochs = 0;
  worstGap: WorstGap | null = null;

  constructor(lateness = new Lateness()) {
    this.lateness = lateness;
  }

  /** Takes a gap for the worst one when it is. */
  gap(gap: WorstGap): void {
    if (gap.slots > (this.worstGap?.slots ?? 0)) this.worstGap = gap;
  }

  /** The row. */
  row(gateway: string, interval: number): ScheduleRow {
    const { counts, lost, open, epochs, worstGap } = this;
    const { good, partial, failed, missed, unknown } = counts;
    const { p50, p99 } = this.lateness.summary();
    const due = dueOf(counts) + lost;
    return {
      ...{ gateway, interval, epochs, due, good, partial, failed, missed, unknown },
      ...{ lost, open, worstGap, late: { p50, p99 } },
    };
  }
}
