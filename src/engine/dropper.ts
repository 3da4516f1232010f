/** Drops what waits in the spool: gaps that name the readings take their place, in the same batch. */
import { replaceDropped, type DropReason } from "../core/drop.ts";
import type { Clock } from "../core/ports.ts";
import type { Committer } from "./committer.ts";
import type { HeldPage } from "./spool-parts.ts";
import type { Spool } from "./spool.ts";

/** What dropping works with. */
export interface DropperWorld {
  readonly clock: Clock;
  readonly committer: Committer;
  readonly spool: Spool;
}

/** See the head of this file. */
export class Dropper {
  readonly #world: DropperWorld;

  constructor(world: DropperWorld) {
    this.#world = world;
  }

  /** Drops from the streams with the oldest messages until `excess` is no more than 0; gives back which streams lost something. */
  async oldest(excess: () => number, reason: DropReason): Promise<ReadonlySet<string>> {
    const { spool } = this.#world;
    /** Streams of which nothing more can go. */
    const spent = new Set<string>();
    const dropped = new Set<string>();
    for (let bytes = excess(); bytes > 0; bytes = excess()) {
      const page = await spool.holdOldest(bytes, spent);
      if (page === undefined) return dropped;
      if (await this.#drop(page, reason, isLess)) dropped.add(page.stream);
      else spent.add(page.stream);
    }
    return dropped;
  }

  /** Drops the readings and events of a page that is held, and releases it; gives back how many they were. */
  async page(page: HeldPage, reason: DropReason): Promise<number> {
    let lost = 0;
    await this.#drop(page, reason, (_, dropped) => (lost = dropped) > 0);
    return lost;
  }

  async #drop(
    page: HeldPage,
    reason: DropReason,
    isWorth: (messages: readonly [before: number, after: number], dropped: number) => boolean,
  ): Promise<boolean> {
    const { spool, committer, clock } = this.#world;
    try {
      const { messages, readings, events } = replaceDropped(
        page.entries.map(({ spooled }) => spooled),
        reason,
      );
      const dropped = readings + events;
      if (!isWorth([page.entries.length, messages.length], dropped)) return false;
      const at = Math.round(clock.wall());
      const count = spool.gone.add(page.stream, reason, dropped, at);
      await committer.commit([...page.writes(messages), count.write]);
      count.counted();
      page.replaced(messages, dropped);
      return true;
    } finally {
      page.release();
    }
  }
}

function isLess([before, after]: readonly [before: number, after: number]): boolean {
  return after < before;
}
