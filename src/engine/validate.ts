/** Proves the ledger from what is on disk: reads all of it once, in pages, and holds it to the rules. */
import type { KeptAccount } from "../core/account.ts";
import { EpochCheck } from "../core/epoch-check.ts";
import { Lateness } from "../core/lateness.ts";
import { scheduleName } from "../core/model.ts";
import { addCounts } from "../core/outcome.ts";
import { below, decodeClaim, decodeLedger, keys, type LedgerRecord } from "../core/records.ts";
import { Findings, Tally, type ScheduleRow, type Validation } from "../core/validation.ts";
import { knownSchedules, type KnownSchedule } from "./known-schedules.ts";
import { LedgerReading, type ReadingWorld } from "./ledger-reading.ts";
import { proveSpool, type ProvenSpool } from "./spool-proof.ts";

/** Records that have no rule beside their checksum. */
const CHECKSUMMED = [
  ...["audit/", "command/", "dropped/", "gone/", "hour/", "meta/", "quarantine/"],
];

/** What is to be looked at. */
export interface ValidateQuery {
  /** Nominal due time from which on slots are counted in the rows; the rules are held to all. */
  readonly since: number;
  /** Gateways whose rows are wanted, undefined for all; the rules are held to all. */
  readonly gateways?: readonly string[];
  /** What was proven before: what is recorded after it is read, and no checksums beside. */
  readonly proven?: Proven;
}

/** What a look has proven. */
export interface Proven {
  /** Accounts by schedule. */
  readonly accounts: ReadonlyMap<string, KeptAccount>;
  readonly spool: ProvenSpool;
}

/** What came of it, and what need not be read again as long as nothing is wrong. */
export interface Validated {
  readonly validation: Validation;
  readonly proven: Proven;
}

/** Reads the whole store. Rejects with `StoreError` when it can't be read. */
export async function validateStore(world: ReadingWorld, query: ValidateQuery): Promise<Validated> {
  return new Validator(world, query).run();
}

class Validator {
  readonly #world: ReadingWorld;
  readonly #query: ValidateQuery;
  readonly #findings = new Findings();
  readonly #reading: LedgerReading;
  readonly #proven = new Map<string, KeptAccount>();

  constructor(world: ReadingWorld, query: ValidateQuery) {
    this.#world = world;
    this.#query = query;
    this.#reading = new LedgerReading(world, this.#findings);
  }

  async run(): Promise<Validated> {
    const rows: ScheduleRow[] = [];
    for (const known of await knownSchedules(this.#reading)) {
      const row = await this.#schedule(known);
      if (this.#query.gateways?.includes(known.gateway) ?? true) rows.push(row);
    }
    const spool = await proveSpool(this.#reading, this.#findings, this.#query.proven?.spool);
    const rest = this.#query.proven === undefined ? CHECKSUMMED : [];
    for (const prefix of rest) await this.#reading.checksums(prefix);
    const { told, more } = this.#findings;
    const validation = { records: this.#reading.records, schedules: rows, findings: told, more };
    return { validation, proven: { accounts: this.#proven, spool } };
  }

  async #schedule(known: KnownSchedule): Promise<ScheduleRow> {
    const { gateway, interval, claim, kept } = known;
    const tally = this.#tally(known);
    const base = this.#base(known);
    let check = base === undefined ? undefined : this.#epoch(known, base.epoch, tally, base);
    for await (const [epoch, record] of this.#outcomes(known, base)) {
      if (check?.epoch !== epoch) {
        check?.end();
        check = this.#epoch(known, epoch, tally);
      }
      check.add(record);
    }
    if (claim !== undefined && (check === undefined || check.epoch < claim.epoch)) {
      check?.end();
      check = this.#epoch(known, claim.epoch, tally);
    }
    check?.end(await this.#reached(known, check.epoch));
    if (kept !== undefined && kept.epoch === check?.epoch) this.#proven.set(known.id, kept);
    this.#nextSlot(known, check?.epoch);
    return tally.row(gateway, interval);
  }

  /** The last claimed slot of an epoch as it is now. */
  async #reached({ id }: KnownSchedule, epoch: number): Promise<number> {
    const key = keys.claim(id);
    const text = await this.#world.store.get(key);
    const claim = text === undefined ? undefined : this.#reading.read(key, () => decodeClaim(text));
    return claim?.epoch === epoch ? claim.claimed : 0;
  }

  /** What the records begin after: what was proven before, else what retention has removed. */
  #base({ id, claim, total }: KnownSchedule): KeptAccount | undefined {
    const proven = this.#query.proven?.accounts.get(id);
    const isOf = proven !== undefined && proven.epoch === claim?.epoch;
    return isOf && proven.at >= (total?.epoch === proven.epoch ? total.at : 0) ? proven : total;
  }

  #tally({ total }: KnownSchedule): Tally {
    const whole = this.#query.since <= 0 ? total : undefined;
    const tally = new Tally(new Lateness(whole?.lateness));
    if (whole === undefined) return tally;
    addCounts(tally.counts, whole.earlier);
    addCounts(tally.counts, whole.counts);
    tally.epochs = whole.epochs;
    return tally;
  }

  /** The records of a schedule with their epochs. */
  async *#outcomes(
    { id }: KnownSchedule,
    base: KeptAccount | undefined,
  ): AsyncGenerator<[number, LedgerRecord]> {
    const { from: first, to } = below(keys.outcomesOf(id));
    const from = base === undefined ? first : keys.outcome(id, base.epoch, base.at + 1);
    if (base !== undefined) yield* this.#goesOn(id, base);
    for await (const page of this.#reading.pages({ from, to })) {
      for (const { key, value } of page) {
        const record = this.#reading.read(key, () => decodeLedger(key, value));
        if (record !== undefined) yield [Number(key.split("/")[2]), record];
      }
    }
  }

  /** The run that had begun where the records begin, and went on: what of it comes after. */
  async *#goesOn(id: string, { epoch, at }: KeptAccount): AsyncGenerator<[number, LedgerRecord]> {
    const { from } = below(keys.outcomes(id, epoch));
    const to = keys.outcome(id, epoch, at + 1);
    const range = { from, to, limit: 1, reverse: true, damaged: () => undefined };
    const [entry] = await this.#world.store.range(range);
    const record =
      entry === undefined
        ? undefined
        : this.#reading.read(entry.key, () => decodeLedger(entry.key, entry.value));
    if (record?.kind !== "run" || record.run.to <= at) return;
    yield [epoch, { kind: "run", run: { ...record.run, from: at + 1 } }];
  }

  #epoch(known: KnownSchedule, epoch: number, tally: Tally, removed?: KeptAccount): EpochCheck {
    const { gateway, interval, claim, kept } = known;
    const of = <T extends { epoch: number } | undefined>(one: T) =>
      one?.epoch === epoch ? one : undefined;
    const facts = {
      ...{ gateway, interval, epoch, since: this.#query.since },
      ...given({ claim: of(claim), kept: of<KeptAccount | undefined>(kept), removed }),
    };
    return new EpochCheck(facts, tally, this.#findings);
  }

  /** A schedule that is meant to run has a claim of its last epoch: that says where its next slot lies. */
  #nextSlot(
    { id, gateway, interval, claim, kept, total, stopped }: KnownSchedule,
    last: number | undefined,
  ): void {
    if (stopped || kept?.closed === true) return;
    // A node that ends before a schedule's first slot keeps an account of none.
    const isNew = last === undefined && total === undefined && (kept?.at ?? 0) === 0;
    if (claim === undefined && isNew) return;
    if (claim !== undefined && (last === undefined || last <= claim.epoch)) return;
    const why =
      claim === undefined
        ? "its claim is gone"
        : `its claim is of epoch ${String(claim.epoch)}, but epoch ${String(last)} has outcomes`;
    const text = `${scheduleName(id)} is meant to run and has no next slot: ${why}; a start would begin a new epoch`;
    const next = `edgepoll events --gateway ${gateway} --since 7d`;
    this.#findings.add({ kind: "no-next-slot", gateway, interval, text, next });
  }
}

/** The keys that have a value. */
function given<T extends object>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(all).filter(([, value]) => value !== undefined);
  // Only entries of `all` are left, none of them undefined.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
