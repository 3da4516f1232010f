/**
 * Drops what has waited longer than `mqtt.spool.maxAge`. Ages are those of the ledger, in elapsed time: a
 * step of the clock drops nothing, and while the machine is off nothing grows older.
 */
import { messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { Spooled } from "../core/records.ts";
import type { Age } from "./age.ts";
import type { Dropper } from "./dropper.ts";
import type { Journal } from "./journal.ts";
import type { Spool } from "./spool.ts";
import type { SpoolEntry } from "./stream.ts";

/** ms between two looks. */
const LOOK_EVERY = 1000;
/** ms, and share of the age, between two drops of a stream: each writes the gaps at its head anew. */
const DROP_EVERY = 60_000;
const SHARE = 1 / 60;
/** ms without a drop after which the next one is said anew. */
const CALM = 3_600_000;

/** What it works with. */
export interface SpoolAgeWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly spool: Spool;
  readonly dropper: Dropper;
  readonly age: Pick<Age, "now">;
  /** ms. */
  readonly maxAge: number;
}

/** When a stream is looked at next. */
interface Due {
  /** Age, ms. */
  readonly at: number;
  /** Below lies nothing that can be dropped. */
  readonly from: number;
}

/** See the head of this file. */
export class SpoolAge {
  readonly #world: SpoolAgeWorld;
  readonly #due = new Map<string, Due>();
  /** Age at which it was begun to watch: that of messages of which it is not known. */
  #began = 0;
  #droppedAt = -Infinity;
  #cancel: (() => void) | undefined;

  constructor(world: SpoolAgeWorld) {
    this.#world = world;
  }

  /** Begins to watch. */
  open(): void {
    this.#began = this.#world.age.now;
    this.#arm();
  }

  /** Ends the watch. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel = this.#world.clock.timer(LOOK_EVERY, () => {
      void this.#look().then(() => {
        if (this.#cancel !== undefined) this.#arm();
      });
    });
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { spool, age, log } = this.#world;
    try {
      for (const { name } of spool.streams) {
        const due = this.#due.get(name);
        if (due === undefined || due.at <= age.now) await this.#drop(name, due?.from ?? 0);
      }
    } catch (error) {
      log.error({ error: messageOf(error) }, "what waits for too long can't be dropped");
    }
  }

  async #drop(name: string, since: number): Promise<void> {
    const { spool, age, maxAge, dropper } = this.#world;
    const now = age.now;
    const isOld = ({ spooled }: SpoolEntry) => now - this.#ageOf(spooled) > maxAge;
    for (let from = since; ; ) {
      const page = await spool.hold(name, from, isOld);
      // Being read by others: at the next look.
      if (page === undefined) return;
      const { entries, next } = page;
      const dropped = await dropper.page(page, "too_old");
      if (dropped > 0) this.#say();
      // A whole page of gaps: they are passed over from now on.
      if (dropped === 0 && next === undefined) from = (entries.at(-1)?.number ?? from) + 1;
      if (entries.length > 0 && next === undefined) continue;
      const soonest = now + Math.min(DROP_EVERY, maxAge * SHARE);
      const expires = next === undefined ? 0 : this.#ageOf(next.spooled) + maxAge;
      this.#due.set(name, { at: Math.max(soonest, expires), from });
      return;
    }
  }

  #ageOf({ age }: Spooled): number {
    return age === undefined ? this.#began : age * 1000;
  }

  #say(): void {
    const { clock, journal, maxAge } = this.#world;
    const isNew = clock.elapsed() - this.#droppedAt > CALM;
    this.#droppedAt = clock.elapsed();
    if (!isNew) return;
    const text = `what has waited for the broker longer than ${String(maxAge)} ms (mqtt.spool.maxAge) is dropped`;
    void journal.note({ kind: "spool-expired", text, data: { maxAge } });
  }
}
