/** How many readings and events of each stream were dropped, since when and why; kept on disk. */
import type { DropReason } from "../core/drop.ts";
import type { Store, Write } from "../core/ports.ts";
import { below, keys } from "../core/records.ts";
import { pagesOf } from "./pages.ts";

/** What was dropped of a stream. */
export interface DroppedRecord {
  /** Readings and events, by reason. */
  readonly by: Partial<Record<DropReason, number>>;
  /** Wall time of the first and the last drop, ms. */
  readonly since: number;
  readonly last: number;
}

/** See the head of this file. */
export class Dropped {
  readonly #all = new Map<string, DroppedRecord>();

  /** Takes up what was kept. */
  async load(store: Store): Promise<void> {
    for await (const page of pagesOf(store, below(keys.droppedAll))) {
      for (const { key, value } of page) {
        // As written below: the store has checked its checksum.
        this.#all.set(key.slice(keys.droppedAll.length), JSON.parse(value) as DroppedRecord);
      }
    }
  }

  /** What was dropped of a stream so far, undefined when nothing was. */
  of(stream: string): DroppedRecord | undefined {
    return this.#all.get(stream);
  }

  /** Streams of which something was dropped. */
  get streams(): IterableIterator<string> {
    return this.#all.keys();
  }

  /** What is to be committed with the drop of so many at wall time `at`; `counted` says that it was. */
  add(
    stream: string,
    reason: DropReason,
    count: number,
    at: number,
  ): { write: Write; counted: () => void } {
    const before = this.#all.get(stream);
    const by = { ...before?.by, [reason]: (before?.by[reason] ?? 0) + count };
    const record: DroppedRecord = { by, since: before?.since ?? at, last: at };
    const write = { key: keys.dropped(stream), value: JSON.stringify(record) };
    return { write, counted: () => this.#all.set(stream, record) };
  }
}
