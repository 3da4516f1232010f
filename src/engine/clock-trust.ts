/** Whether the wall clock can be relied on: what the system says of it, and what it can't be. */
import type { Clock, Store } from "../core/ports.ts";
import { below, decodeClaim, keys } from "../core/records.ts";
import { pagesOf } from "./pages.ts";

/** ms for which the system's word is believed: it is asked for every slot. */
const ASK_EVERY = 1000;

/** What is known of the wall clock besides its time. */
export interface WallClockFacts {
  /** Wall time in ms at which this release was built: no time of its life is before that. 0: not known. */
  readonly built: number;
  /** False while the system says that its time is not synchronised. */
  readonly isSynced: () => boolean;
}

/** See the head of this file. */
export class ClockTrust {
  readonly #clock: Clock;
  readonly #facts: WallClockFacts;
  /** The latest wall time that the ledger knows, ms. */
  #latest = 0;
  #synced = true;
  #askedAt = -Infinity;

  constructor(clock: Clock, facts: WallClockFacts) {
    this.#clock = clock;
    this.#facts = facts;
  }

  /** Takes up how late it was when slots were claimed last, at most `horizon` ms ahead. */
  async load(store: Store, horizon: number): Promise<void> {
    for await (const page of pagesOf(store, below(keys.claims))) {
      for (const { value } of page)
        this.#latest = Math.max(this.#latest, decodeClaim(value).slot - horizon);
    }
  }

  /** Whether the clock is behind the ledger or the build of this release, or not synchronised. */
  get isUnsure(): boolean {
    const wall = this.#clock.wall();
    return wall < this.#latest || wall < this.#facts.built || !this.#isSynced();
  }

  /** The same for slots that are claimed now; the ledger knows this time from now on. */
  claiming(): boolean {
    const unsure = this.isUnsure;
    this.#latest = Math.max(this.#latest, this.#clock.wall());
    return unsure;
  }

  #isSynced(): boolean {
    const now = this.#clock.elapsed();
    if (now - this.#askedAt >= ASK_EVERY) {
      this.#askedAt = now;
      this.#synced = this.#facts.isSynced();
    }
    return this.#synced;
  }
}
