/** What retention removes of a schedule's outcomes, added up so that the account still holds. */
import { Lateness } from "./lateness.ts";
import { addCounts, countAbsent, noCounts, type Counts } from "./outcome.ts";
import type { LedgerRecord, TotalRecord } from "./records.ts";

/** A place in the outcomes of a schedule: everything up to it is meant. */
export interface Place {
  readonly epoch: number;
  readonly at: number;
}

/** Adds the records of whole prefixes, in the order of their keys. */
export class Total {
  #epoch: number;
  #at: number;
  #counts: Counts = noCounts();
  #epochs: number;
  readonly #earlier: Counts = noCounts();
  readonly #lateness: Lateness;

  constructor(before: TotalRecord | undefined) {
    this.#epoch = before?.epoch ?? 0;
    this.#at = before?.at ?? 0;
    this.#epochs = before?.epochs ?? 0;
    this.#lateness = new Lateness(before?.lateness);
    if (before === undefined) return;
    addCounts(this.#counts, before.counts);
    addCounts(this.#earlier, before.earlier);
  }

  /** Whether all of a record lies at or before the place. */
  static isWithin(epoch: number, record: LedgerRecord, place: Place): boolean {
    const to = record.kind === "poll" ? record.seq : record.run.to;
    return epoch < place.epoch || (epoch === place.epoch && to <= place.at);
  }

  /** Adds a record that is removed. A slot without one has an outcome that nobody knows. */
  add(epoch: number, record: LedgerRecord): void {
    if (epoch > this.#epoch) this.#begin(epoch);
    const [from, to] =
      record.kind === "poll" ? [record.seq, record.seq] : [record.run.from, record.run.to];
    this.#counts.unknown += Math.max(0, from - this.#at - 1);
    const fresh = to - Math.max(from, this.#at + 1) + 1;
    this.#at = Math.max(this.#at, to);
    if (fresh <= 0) return;
    if (record.kind === "run") {
      countAbsent(this.#counts, record.run.absence, fresh);
    } else {
      this.#counts[record.outcome]++;
      if (record.late !== null) this.#lateness.add(record.late);
    }
  }

  /** As it is kept. */
  record(): TotalRecord {
    const [epoch, at, epochs] = [this.#epoch, this.#at, this.#epochs];
    const lateness = this.#lateness.keep();
    return { epoch, at, counts: this.#counts, lateness, earlier: this.#earlier, epochs };
  }

  #begin(epoch: number): void {
    addCounts(this.#earlier, this.#counts);
    if (this.#epoch > 0) this.#epochs++;
    this.#counts = noCounts();
    this.#epoch = epoch;
    this.#at = 0;
  }
}
