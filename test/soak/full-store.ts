/** A state directory as full as a long time leaves it, written record by record as a node writes them. */
import { Account } from "../../src/core/account.ts";
import type { Store, Write } from "../../src/core/ports.ts";
import {
  encodeClaim,
  encodePoll,
  encodeSpooled,
  keys,
  type AccountRecord,
  type TotalRecord,
} from "../../src/core/records.ts";
import { noCounts } from "../../src/core/outcome.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { ensureStateDir } from "../../src/system/paths.ts";

/** How full. */
export interface Fullness {
  /** Ids of gateways with one device `unit` and one schedule of that interval, ms. */
  readonly gateways: readonly string[];
  readonly interval: number;
  /** Slots of all gateways that have an outcome on record; retention has removed those before. */
  readonly rows: number;
  /** Readings of all gateways that wait for the broker; as many slots as have passed. */
  readonly waiting: number;
}

const NODE = "full";
/** Slots of every gateway that are written together. */
const AT_ONCE = 100;

/** Fills a state directory; its last slots were due a minute ago. */
export async function fillStateDir(stateDir: string, fullness: Fullness): Promise<void> {
  ensureStateDir(stateDir);
  const store = await openLevelStore(stateDir, { create: true, clock: createClock() });
  const slots = Math.ceil(fullness.waiting / fullness.gateways.length);
  const kept = Math.ceil(fullness.rows / fullness.gateways.length);
  const began = Math.floor(Date.now() / 1000) * 1000 - 60_000 - slots * fullness.interval;
  const accounts = fullness.gateways.map((id) => new Filled(id, fullness.interval, began));
  for (let seq = 1; seq <= slots; seq++) {
    for (const account of accounts) account.poll(seq, seq > slots - kept);
    if (seq === slots - kept) for (const account of accounts) account.remove();
    if (seq % AT_ONCE === 0 || seq === slots) await flush(store, accounts);
  }
  await store.close();
}

async function flush(store: Store, accounts: readonly Filled[]): Promise<void> {
  await store.write(
    accounts.flatMap((account) => account.take()),
    false,
  );
}

/** The account of one gateway, on its way to the disk. */
class Filled {
  readonly #gateway: string;
  readonly #schedule: string;
  readonly #interval: number;
  readonly #began: number;
  readonly #account: Account;
  #writes: Write[] = [];

  constructor(gateway: string, interval: number, began: number) {
    this.#gateway = gateway;
    this.#schedule = `${gateway}@${String(interval)}`;
    this.#interval = interval;
    this.#began = began;
    this.#account = new Account(Math.floor(began / 1000));
  }

  poll(seq: number, isKept: boolean): void {
    const { epoch } = this.#account;
    const late = (seq % 40) / 10;
    this.#account.begin(seq);
    this.#account.finish("good", late);
    if (isKept) {
      const key = keys.outcome(this.#schedule, epoch, seq);
      this.#writes.push({ key, value: encodePoll("good", late) });
    }
    this.#writes.push({ key: keys.spool(this.#gateway, seq), value: this.#message(seq, late) });
  }

  /** Retention has added up what came so far. */
  remove(): void {
    const total: TotalRecord = { ...this.#account.keep(), earlier: noCounts(), epochs: 0 };
    this.#writes.push({ key: keys.total(this.#schedule), value: JSON.stringify(total) });
  }

  take(): Write[] {
    const { epoch, last } = this.#account;
    const claim = {
      ...{ epoch, claimed: last, settled: last, slot: this.#slot(last) },
      ...{ due: 0, boot: "before" },
    };
    const record: AccountRecord = { ...this.#account.keep(), closed: false };
    const writes = [
      ...this.#writes,
      { key: keys.claim(this.#schedule), value: encodeClaim(claim) },
      { key: keys.account(this.#schedule), value: JSON.stringify(record) },
    ];
    this.#writes = [];
    return writes;
  }

  #slot(seq: number): number {
    return this.#began + seq * this.#interval;
  }

  #message(seq: number, late: number): string {
    const [gateway, interval, slot] = [this.#gateway, this.#interval, this.#slot(seq)];
    const identity = { node: NODE, gateway, device: "unit", interval };
    const values = { "value-0": 32.5, "value-1": seq / 10, "value-2": 7, "value-3": 1.25 };
    const payload = JSON.stringify({
      ...{ ...identity, epoch: this.#account.epoch, seq, slot, ts: slot + 12, late, rtt: 11.8 },
      ...{ quality: "good", values },
    });
    const topic = `readings/${gateway}/unit`;
    return encodeSpooled({ topic, retain: false, interval, slot, payload, age: 0 });
  }
}
