/**
 * Hourly totals: what each schedule's account was when an hour of age began. They outlive the outcomes,
 * and say how old these are.
 */
import type { Store, Write } from "../core/ports.ts";
import { below, keys, type AccountRecord, type HourRecord } from "../core/records.ts";
import { pagesOf } from "./pages.ts";

/** ms. */
export const HOUR = 3_600_000;

/** Reads and writes hourly totals. */
export class Hours {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** All schedules that have an account. */
  async schedules(): Promise<string[]> {
    const found: string[] = [];
    for await (const page of pagesOf(this.#store, below(keys.accounts))) {
      found.push(...page.map(({ key }) => key.slice(keys.accounts.length)));
    }
    return found;
  }

  /** What is to be written when an hour begins, `wall` being the wall time: accounts that have moved on since the hour before. */
  async close(hour: number, wall: number): Promise<Write[]> {
    const writes: Write[] = [];
    for await (const page of pagesOf(this.#store, below(keys.accounts))) {
      for (const { key, value } of page) {
        const schedule = key.slice(keys.accounts.length);
        // As written by the ledger: the store has checked its checksum.
        const { epoch, at, counts } = JSON.parse(value) as AccountRecord;
        const last = await this.last(schedule, hour);
        if (last?.epoch === epoch && last.at === at) continue;
        const record: HourRecord = { epoch, at, wall, counts };
        writes.push({ key: keys.hour(schedule, hour), value: JSON.stringify(record) });
      }
    }
    return writes;
  }

  /** The last total that was made when that hour began, or before. */
  async last(schedule: string, hour: number): Promise<HourRecord | undefined> {
    if (hour < 0) return undefined;
    const { from } = below(keys.hoursOf(schedule));
    const to = keys.hour(schedule, hour + 1);
    const [entry] = await this.#store.range({ from, to, limit: 1, reverse: true });
    // As written by `close`: the store has checked its checksum.
    return entry === undefined ? undefined : (JSON.parse(entry.value) as HourRecord);
  }
}
