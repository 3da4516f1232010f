/** Keeps the spool within its limit: the oldest readings go, and gaps that name them take their place. */
import { replaceDropped } from "../core/drop.ts";
import { messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { Committer } from "./committer.ts";
import type { Journal } from "./journal.ts";
import type { Spool } from "./spool.ts";

/** ms between two looks at the size of the spool. */
const LOOK_EVERY = 1000;
/** Once the limit is passed, the spool is brought down to this share of it, so that not every look drops. */
const DOWN_TO = 0.98;
/** Below this share of the limit it is said anew when the limit is passed. */
const CALM = 0.8;

/** What the limit works with. */
export interface SpoolLimitWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly committer: Committer;
  readonly journal: Journal;
  readonly spool: Spool;
  readonly maxBytes: number;
}

/** Watches over the size of the spool. */
export class SpoolLimit {
  readonly #world: SpoolLimitWorld;
  #cancel: (() => void) | undefined;
  #over = false;

  constructor(world: SpoolLimitWorld) {
    this.#world = world;
  }

  /** Begins to watch. */
  open(): void {
    this.#cancel = this.#world.clock.timer(LOOK_EVERY, () => {
      void this.look().then(() => {
        if (this.#cancel !== undefined) this.open();
      });
    });
  }

  /** Ends the watch. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Drops what is too much; never rejects. */
  async look(): Promise<void> {
    const { spool, maxBytes, log } = this.#world;
    if (spool.waiting.bytes < maxBytes * CALM) this.#over = false;
    if (spool.waiting.bytes <= maxBytes) return;
    if (!this.#over) this.#say();
    this.#over = true;
    /** Streams of which nothing more can go. */
    const spent = new Set<string>();
    try {
      for (;;) {
        const excess = spool.waiting.bytes - maxBytes * DOWN_TO;
        if (excess <= 0 || !(await this.#drop(excess, spent))) return;
      }
    } catch (error) {
      log.error({ error: messageOf(error) }, "the spool is over its limit and can't be cut");
    }
  }

  /** Drops from the stream with the oldest message; false when there is nothing left to drop. */
  async #drop(excess: number, spent: Set<string>): Promise<boolean> {
    const { spool, committer } = this.#world;
    const page = await spool.holdOldest(excess, spent);
    if (page === undefined) return false;
    try {
      const replaced = replaceDropped(page.entries.map(({ spooled }) => spooled));
      if (replaced.messages.length >= page.entries.length) {
        spent.add(page.stream);
        return true;
      }
      await committer.commit(page.writes(replaced.messages));
      page.replaced(replaced.messages, replaced.readings + replaced.events);
      return true;
    } finally {
      page.release();
    }
  }

  #say(): void {
    const { journal, maxBytes } = this.#world;
    const text = `the spool has reached its limit of ${String(maxBytes)} bytes; the oldest readings are dropped`;
    void journal.note({ kind: "spool-full", text, data: { maxBytes } });
  }
}
