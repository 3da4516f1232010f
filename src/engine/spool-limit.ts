/**
 * Keeps the spool within its limit, and the disk from filling up: the oldest readings go, and gaps that
 * name them take their place.
 */
import type { DropReason } from "../core/drop.ts";
import { messageOf } from "../core/errors.ts";
import type { EventKind } from "../core/payloads.ts";
import type { Clock, Log, Store } from "../core/ports.ts";
import { below, keys } from "../core/records.ts";
import type { Dropper } from "./dropper.ts";
import type { Journal } from "./journal.ts";
import type { Spool } from "./spool.ts";

/** ms between two looks at the size of the spool. */
const LOOK_EVERY = 1000;
/** Looks after which the disk is looked at. */
const LOOKS_AT_DISK = 10;
/** Once the limit is passed, the spool is brought down to this share of it, so that not every look drops. */
const DOWN_TO = 0.98;
/** Below this share of the limit it is said anew when the limit is passed. */
const CALM = 0.8;
/** What is to stay free on the disk: this share of it, and so many bytes at most. */
const FREE_SHARE = 0.05;
const MOST_FREE = 256 * 1024 * 1024;
/** Of what waits goes at one look for the disk's sake: this share, and so many bytes at least. */
const STEP_SHARE = 0.1;
const LEAST_STEP = 1024 * 1024;

/** The room on a disk, bytes. */
export interface DiskRoom {
  readonly size: number;
  readonly free: number;
}

/** What the limit works with. */
export interface SpoolLimitWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly journal: Journal;
  readonly spool: Spool;
  readonly dropper: Dropper;
  readonly maxBytes: number;
  /** The disk of the store, null when not known. */
  readonly diskRoom: () => DiskRoom | null;
}

/** Watches over the size of the spool. */
export class SpoolLimit {
  readonly #world: SpoolLimitWorld;
  #cancel: (() => void) | undefined;
  #over = false;
  #isDiskFull = false;
  #looks = 0;

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
    try {
      await this.#lookAtSize();
      if (++this.#looks % LOOKS_AT_DISK === 0) await this.#lookAtDisk();
    } catch (error) {
      this.#world.log.error(
        { error: messageOf(error) },
        "the spool is over its limit and can't be cut",
      );
    }
  }

  async #lookAtSize(): Promise<void> {
    const { spool, maxBytes, dropper } = this.#world;
    if (spool.waiting.bytes < maxBytes * CALM) this.#over = false;
    if (spool.waiting.bytes <= maxBytes) return;
    if (!this.#over) {
      const text = `the spool has reached its limit of ${String(maxBytes)} bytes; the oldest readings are dropped`;
      this.#say("spool-full", text, { maxBytes });
    }
    this.#over = true;
    await dropper.oldest(() => spool.waiting.bytes - maxBytes * DOWN_TO, "spool_full");
  }

  /** What is dropped leaves the disk when its part of the store is compacted, so that the next look sees what is gained. */
  async #lookAtDisk(): Promise<void> {
    const { spool, dropper, store, diskRoom } = this.#world;
    const room = diskRoom();
    if (room === null) return;
    const least = Math.min(room.size * FREE_SHARE, MOST_FREE);
    if (room.free > least / CALM) this.#isDiskFull = false;
    if (room.free >= least || spool.waiting.messages === 0) return;
    if (!this.#isDiskFull) {
      const text = `the disk has ${String(room.free)} bytes left, less than ${String(Math.round(least))}; the oldest readings that wait are dropped`;
      this.#say("disk-full", text, { free: room.free });
    }
    this.#isDiskFull = true;
    const { bytes } = spool.waiting;
    const step = Math.min(least - room.free, Math.max(LEAST_STEP, bytes * STEP_SHARE));
    const reason: DropReason = "disk_full";
    const streams = await dropper.oldest(() => spool.waiting.bytes - (bytes - step), reason);
    for (const stream of streams) await store.compact(below(keys.spoolStream(stream)));
  }

  #say(kind: EventKind, text: string, data: Readonly<Record<string, unknown>>): void {
    void this.#world.journal.note({ kind, text, data });
  }
}
