/**
 * The rules of one epoch of a schedule, fed its records in the order of their keys: every seq from 1 on
 * has exactly one outcome, nothing is recorded that was not claimed, and the counts that were kept are
 * those of the records. Needs the same memory however long the ledger is.
 */
import type { KeptAccount } from "./account.ts";
import { GapWatch } from "./gap-watch.ts";
import { scheduleId, scheduleName } from "./model.ts";
import {
  addCounts,
  countAbsent,
  countsOf,
  noCounts,
  sameCounts,
  type Absence,
  type PolledOutcome,
} from "./outcome.ts";
import type { Claim, LedgerRecord } from "./records.ts";
import type { Finding, FindingKind, Findings, Tally } from "./validation.ts";

/** ms that slots are claimed ahead at most, and that a poll or the writing of an outcome takes at most or longer. */
const LONGEST = 10_000;
/** Intervals after which a poll ends at the latest, and for which its outcome is tried to be written. */
const INTERVALS = 4;

/** What is known of an epoch before its records are read. */
export interface EpochFacts {
  readonly gateway: string;
  readonly interval: number;
  readonly epoch: number;
  /** What retention has removed of it: the records begin after that. */
  readonly removed?: KeptAccount;
  /** The claim, when it is of this epoch. */
  readonly claim?: Claim;
  /** The account as kept, when it is of this epoch. */
  readonly kept?: KeptAccount;
  /** Nominal due time from which on slots are counted for the row. */
  readonly since: number;
}

/** See the head of this file. */
export class EpochCheck {
  readonly epoch: number;
  readonly #facts: EpochFacts;
  readonly #tally: Tally;
  readonly #findings: Findings;
  readonly #gaps: GapWatch;
  /** Counts of all seqs up to that at which the account was kept. */
  readonly #atKeeping = noCounts();
  /** The seq whose record comes next. */
  #next: number;
  /** Where slots lie in time: a seq with its nominal due time. */
  #anchor: { readonly seq: number; readonly slot: number };

  constructor(facts: EpochFacts, tally: Tally, findings: Findings) {
    const { claim, removed, epoch, interval } = facts;
    this.epoch = epoch;
    this.#facts = facts;
    this.#tally = tally;
    this.#findings = findings;
    this.#gaps = new GapWatch(tally, interval);
    this.#next = (removed?.at ?? 0) + 1;
    this.#anchor =
      claim === undefined
        ? { seq: 1, slot: epoch * 1000 }
        : { seq: claim.claimed, slot: claim.slot };
    tally.epochs++;
    if (removed !== undefined) addCounts(this.#atKeeping, removed.counts);
  }

  /** The next record. */
  add(record: LedgerRecord): void {
    const [from, to] = spanOf(record);
    if (from > this.#next) this.#skipped(from - 1);
    if (from < this.#next) this.#double(from, Math.min(to, this.#next - 1));
    const fresh = Math.max(from, this.#next);
    if (to < fresh) return;
    this.#next = to + 1;
    if (record.kind === "poll") this.#polled(record.outcome, record.late, from);
    else this.#absent(record.run.absence, fresh, to, record.run.slotTo);
  }

  /** All records were read; up to `reached` slots are claimed by now, as the node may have gone on meanwhile. */
  end(reached = 0): void {
    const { claim, kept } = this.#facts;
    const settled = this.#settled();
    if (this.#next <= settled) this.#skipped(settled);
    this.#gaps.end();
    if (claim !== undefined) this.#claimed(claim.claimed, reached);
    if (kept !== undefined && this.#tally.lost === 0) this.#compare(kept);
  }

  /** Every seq up to this one has its outcome on disk; of an epoch that has ended nothing more is known than its records. */
  #settled(): number {
    const { claim, kept } = this.#facts;
    return Math.max(claim?.settled ?? 0, kept?.at ?? 0);
  }

  /** There are no records from the next seq up to `to`: those that are not settled may still come. */
  #skipped(to: number): void {
    const from = this.#next;
    const last = this.#facts.claim === undefined ? to : Math.min(to, this.#settled());
    this.#tally.open += to - Math.max(last, from - 1);
    this.#next = to + 1;
    this.#gaps.end();
    if (last < from) return;
    this.#tally.lost += last - from + 1;
    const text = `${this.#which(from, last)} no outcome on record: records are lost, or were never written`;
    this.#find("hole", text, { from, to: last });
  }

  #double(from: number, to: number): void {
    const text = `${this.#which(from, to)} more than one outcome on record, which is a bug, or files of two copies were mixed`;
    this.#find("double", text, { from, to });
  }

  #polled(outcome: PolledOutcome, late: number | null, seq: number): void {
    if (seq <= (this.#facts.kept?.at ?? 0)) this.#atKeeping[outcome]++;
    this.#gaps.end();
    if (this.#timeOf(seq) < this.#facts.since) return;
    this.#tally.counts[outcome]++;
    if (late !== null) this.#tally.lateness.add(late);
  }

  #absent(absence: Absence, from: number, to: number, slotTo: number): void {
    const { kept, since, interval } = this.#facts;
    const before = Math.min(to, kept?.at ?? 0) - from + 1;
    if (before > 0) countAbsent(this.#atKeeping, absence, before);
    this.#anchor = { seq: to, slot: slotTo };
    const inTime = Math.min(to - from + 1, Math.floor((slotTo - since) / interval) + 1);
    if (inTime <= 0) return;
    countAbsent(this.#tally.counts, absence, inTime);
    this.#gaps.add(absence, inTime, slotTo);
  }

  #claimed(claimed: number, reached: number): void {
    const { interval } = this.#facts;
    const last = this.#next - 1;
    if (last > claimed && last <= reached) return;
    if (last > claimed) {
      const text = `${this.#which(claimed + 1, last)} an outcome and no claim: the claim was lost, so a start would poll them again`;
      this.#find("claim", text, { from: claimed + 1, to: last });
      return;
    }
    const open = claimed - last + this.#tally.open;
    this.#tally.open = open;
    if (open <= 3 + (2 * LONGEST) / interval + 2 * INTERVALS) return;
    const text = `${this.#which(last + 1, claimed)} a claim and no outcome, more than can be open at once: outcomes are lost`;
    this.#find("claim", text, { from: last + 1, to: claimed });
  }

  #compare(kept: KeptAccount): void {
    if (kept.at > this.#next - 1 || sameCounts(kept.counts, this.#atKeeping)) return;
    const text =
      `${this.#where()}: the account kept at seq ${String(kept.at)} says ${countsOf(kept.counts)}, ` +
      `its records say ${countsOf(this.#atKeeping)}`;
    this.#find("count", text, { from: 1, to: kept.at });
  }

  /** Nominal due time, as near as it is known: a step of the clock between here and the anchor is not seen. */
  #timeOf(seq: number): number {
    return this.#anchor.slot + (seq - this.#anchor.seq) * this.#facts.interval;
  }

  #which(from: number, to: number): string {
    const one = from === to;
    const seqs = one ? `seq ${String(from)} has` : `seq ${String(from)} to ${String(to)} have`;
    return `${this.#where()}: ${seqs}`;
  }

  #where(): string {
    const { gateway, interval, epoch } = this.#facts;
    return `${scheduleName(scheduleId(gateway, interval))}, epoch ${String(epoch)}`;
  }

  #find(kind: FindingKind, text: string, span: Pick<Finding, "from" | "to">): void {
    const { gateway, interval, epoch } = this.#facts;
    const next = `edgepoll events --gateway ${gateway} --since 7d`;
    this.#findings.add({ kind, gateway, interval, epoch, ...span, text, next });
  }
}

function spanOf(record: LedgerRecord): [from: number, to: number] {
  return record.kind === "poll" ? [record.seq, record.seq] : [record.run.from, record.run.to];
}
