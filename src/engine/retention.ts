/**
 * Keeps the store within its bounds: what is older than `store.keep` says goes, and when that is not
 * enough for `maxBytes` the oldest outcomes before their time. Ages are in elapsed time.
 */
import { messageOf } from "../core/errors.ts";
import type { Keep } from "../core/model.ts";
import type { Clock, Log, Store } from "../core/ports.ts";
import { keys } from "../core/records.ts";
import type { Age } from "./age.ts";
import type { Committer } from "./committer.ts";
import { HOUR, Hours } from "./hours.ts";
import type { Journal } from "./journal.ts";
import { Pruner } from "./pruner.ts";
import type { InTurn } from "./turns.ts";

/** ms between two looks at the age and the size. */
const LOOK_EVERY = 60_000;
/** The share of what there is, by age, that goes at once when the store is too large. */
const SQUEEZE = 0.1;
/** Hours that are kept however large the store is. */
const LEAST_HOURS = 24;

/** What retention works with. */
export interface RetentionWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly committer: Committer;
  readonly journal: Journal;
  readonly age: Age;
  readonly keep: Keep;
  /** Bytes on disk of what is kept, the spool aside; null when not known. */
  readonly bytes: () => number | null;
  readonly inTurn: InTurn;
}

/** See the head of this file. */
export class Retention {
  readonly #world: RetentionWorld;
  readonly #hours: Hours;
  readonly #pruner: Pruner;
  #hour = 0;
  /** The store is too large and nothing may go; it is tried again when an hour has passed. */
  #exhausted = false;
  #told = false;
  #cancel: (() => void) | undefined;
  #open = false;

  constructor(world: RetentionWorld) {
    const { clock, store, committer } = world;
    this.#world = world;
    this.#hours = new Hours(store);
    this.#pruner = new Pruner({ clock, store, committer });
  }

  /** Begins to look. */
  open(): void {
    this.#open = true;
    this.#hour = Math.floor(this.#world.age.now / HOUR);
    this.#arm();
  }

  /** Looks no more; removing that is on its way ends with the page. */
  close(): void {
    this.#open = false;
    this.#pruner.end();
    this.#cancel?.();
  }

  #arm(): void {
    this.#cancel = this.#world.clock.timer(LOOK_EVERY, () => {
      void this.#look().then(() => {
        if (this.#open) this.#arm();
      });
    });
  }

  /** Closes the hour when it has passed, and removes what is too old or too much; never rejects. */
  async #look(): Promise<void> {
    const { age, committer, log, inTurn } = this.#world;
    const hour = Math.floor(age.now / HOUR);
    committer.later([age.keep(), ...age.stamping()]);
    const passed = hour > this.#hour;
    if (!passed && (this.#exhausted || !this.#isLarge())) return;
    this.#hour = hour;
    try {
      await inTurn(async () => {
        if (passed) await this.#closeHour(hour);
        if (this.#isLarge()) await this.#squeeze(hour);
      });
    } catch (error) {
      log.error({ error: messageOf(error) }, "what is too old can't be removed from the store");
    }
  }

  #isLarge(): boolean {
    const { bytes, keep } = this.#world;
    return (bytes() ?? 0) > keep.maxBytes;
  }

  async #closeHour(hour: number): Promise<void> {
    const { clock, committer, keep, age } = this.#world;
    this.#exhausted = false;
    await committer.commit(await this.#hours.close(hour, Math.round(clock.wall())));
    await this.#removeOutcomes(hour - hoursOf(keep.outcomes));
    await this.#removeHours(hour - hoursOf(keep.hourly));
    const before = age.audit.olderThan(age.now - keep.audit);
    await this.#pruner.all({ from: keys.audits, to: keys.audit(before, 0) });
  }

  /** Removes the oldest outcomes that are there, else the oldest hours. */
  async #squeeze(hour: number): Promise<void> {
    const { keep } = this.#world;
    this.#tell();
    const some =
      (await this.#firstOf(hour, hoursOf(keep.outcomes), (until) => this.#removeOutcomes(until))) ||
      (await this.#firstOf(hour, hoursOf(keep.hourly), (until) => this.#removeHours(until)));
    this.#exhausted = !some;
  }

  /** Goes from the oldest hour on until something was removed; false when nothing could be. */
  async #firstOf(
    hour: number,
    kept: number,
    remove: (until: number) => Promise<void>,
  ): Promise<boolean> {
    const before = this.#pruner.removed;
    let until = Math.max(0, hour - kept);
    while (hour - until > LEAST_HOURS && this.#pruner.removed === before) {
      until = Math.min(until + Math.ceil((hour - until) * SQUEEZE), hour - LEAST_HOURS);
      await remove(until);
    }
    return this.#pruner.removed > before;
  }

  #tell(): void {
    const { journal, keep } = this.#world;
    if (this.#told) return;
    this.#told = true;
    const text = `the store has reached ${String(keep.maxBytes)} bytes (store.keep.maxBytes); the oldest outcomes are removed before their time`;
    void journal.note({ kind: "store-full", text, data: { maxBytes: keep.maxBytes } });
  }

  /** Removes outcomes that were recorded before that hour of age. */
  async #removeOutcomes(hour: number): Promise<void> {
    for (const schedule of await this.#hours.schedules()) {
      const place = await this.#hours.last(schedule, hour);
      if (place !== undefined) await this.#pruner.outcomes(schedule, place);
    }
  }

  /** Removes hourly totals of before that hour of age. */
  async #removeHours(hour: number): Promise<void> {
    if (hour <= 0) return;
    for (const schedule of await this.#hours.schedules()) {
      await this.#pruner.all({ from: keys.hoursOf(schedule), to: keys.hour(schedule, hour) });
    }
  }
}

function hoursOf(ms: number): number {
  return Math.floor(ms / HOUR);
}
