/**
 * Gives the room that a long outage took back to the disk: once most of what waited is delivered, LevelDB
 * would keep it in its files for as long as nothing is written between them.
 */
import { messageOf } from "../core/errors.ts";
import type { Clock, Log, Store } from "../core/ports.ts";
import { below, keys } from "../core/records.ts";
import type { Spool } from "./spool.ts";
import type { InTurn } from "./turns.ts";

/** ms between two looks at what waits. */
const LOOK_EVERY = 10_000;
/** Bytes that have waited at least; less is not worth the writing. */
const LEAST = 8 * 1024 * 1024;
/** The share of the most that waited at which it is time. */
const REST = 0.1;

/** What it works with. */
export interface SpoolRoomWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly spool: Pick<Spool, "waiting">;
  readonly inTurn: InTurn;
}

/** See the head of this file. */
export class SpoolRoom {
  readonly #world: SpoolRoomWorld;
  /** The most bytes that waited since room was given back. */
  #most = 0;
  #cancel: (() => void) | undefined;
  #open = false;

  constructor(world: SpoolRoomWorld) {
    this.#world = world;
  }

  /** Begins to look. */
  open(): void {
    this.#open = true;
    this.#arm();
  }

  /** Looks no more. */
  close(): void {
    this.#open = false;
    this.#cancel?.();
  }

  #arm(): void {
    this.#most = Math.max(this.#most, this.#world.spool.waiting.bytes);
    this.#cancel = this.#world.clock.timer(LOOK_EVERY, () => {
      void this.#look().then(() => {
        if (this.#open) this.#arm();
      });
    });
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { spool, store, log, inTurn } = this.#world;
    const { bytes } = spool.waiting;
    if (this.#most < LEAST || bytes > this.#most * REST) return;
    this.#most = bytes;
    try {
      await inTurn(async () => {
        if (this.#open) await store.compact(below(keys.spoolAll));
      });
    } catch (error) {
      log.warn({ error: messageOf(error) }, "the room of what was delivered stays taken for now");
    }
  }
}
