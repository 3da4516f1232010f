/**
 * How old the audit trail is in elapsed time, although its keys are wall times: for each day of age the
 * lowest wall time an event can have got. What lies below all that came since is older.
 */
import type { Clock, Store, Write } from "../core/ports.ts";
import { keys } from "../core/records.ts";

/** ms. */
const DAY = 86_400_000;
/** Days of which the lowest time is kept. */
const MOST = 40_000;

/** See the head of this file. */
export class AuditAges {
  readonly #clock: Clock;
  /** Lowest wall time, ms, by day of age; in rising order. */
  #days: [day: number, lowest: number][] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes up what was kept. */
  async load(store: Store): Promise<void> {
    const text = await store.get(keys.auditAges);
    // As written by `note`: the store has checked its checksum.
    if (text !== undefined) this.#days = JSON.parse(text) as [number, number][];
  }

  /** Takes notice of the wall clock; gives back what is to be written. To be called often, and with each event. */
  note(age: number): Write[] {
    const day = Math.floor(age / DAY);
    const wall = Math.floor(this.#clock.wall());
    const last = this.#days.at(-1);
    if (last?.[0] === day) {
      if (wall >= last[1]) return [];
      last[1] = wall;
    } else {
      this.#days.push([day, wall]);
      this.#days.splice(0, this.#days.length - MOST);
    }
    return [{ key: keys.auditAges, value: JSON.stringify(this.#days) }];
  }

  /** Wall time below which every event was written before that age, 0 when none can be that old. */
  olderThan(age: number): number {
    const day = Math.floor(age / DAY);
    const since = this.#days.filter(([one]) => one >= day);
    if (since.length === 0 || since.length === this.#days.length) return 0;
    this.#days = since;
    return since.reduce((lowest, [, wall]) => Math.min(lowest, wall), Infinity);
  }
}
