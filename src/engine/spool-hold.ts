/** Holds a stream of the spool back while its oldest messages are replaced on disk. */
import { encodeSpooled } from "../core/records.ts";
import type { ReadAhead } from "./read-ahead.ts";
import { HeldPage, countOf } from "./spool-parts.ts";
import type { SpoolEntry, Stream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** Messages looked at together. */
const PAGE = 256;
/** Messages dropped at once at least: a gap must be smaller than what it stands for. */
const LEAST_DROPPED = 16;

/** See the head of this file. */
export class SpoolHold {
  readonly #streams: Streams;
  readonly #ahead: ReadAhead;
  #dropped = 0;

  constructor(streams: Streams, ahead: ReadAhead) {
    this.#streams = streams;
    this.#ahead = ahead;
  }

  /** Messages of held pages that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** As `Spool.holdOldest`. */
  async oldest(bytes: number, but: ReadonlySet<string>): Promise<HeldPage | undefined> {
    let found: { stream: Stream; slot: number } | undefined;
    for (const stream of this.#streams.all) {
      if (!stream.ready || stream.loading || but.has(stream.name)) continue;
      const head = await this.#ahead.head(stream, stream.next);
      if (head !== undefined && head.slot < (found?.slot ?? Infinity)) {
        found = { stream, slot: head.slot };
      }
    }
    if (found === undefined || found.stream.loading) return undefined;
    const { stream } = found;
    const choose = (page: readonly SpoolEntry[]) => Math.max(LEAST_DROPPED, countOf(page, bytes));
    return this.#hold(stream, stream.next, choose);
  }

  /** As `Spool.hold`. */
  async from(
    stream: Stream,
    from: number,
    go: (entry: SpoolEntry) => boolean,
  ): Promise<HeldPage | undefined> {
    if (!stream.ready || stream.loading) return undefined;
    return this.#hold(stream, Math.max(stream.next, from), (page) => {
      const stays = page.findIndex((entry) => !go(entry));
      return stays < 0 ? page.length : stays;
    });
  }

  /** Holds a stream with a page of its messages, the first so many of them as are chosen. */
  async #hold(
    stream: Stream,
    from: number,
    choose: (page: readonly SpoolEntry[]) => number,
  ): Promise<HeldPage> {
    stream.loading = true;
    this.#streams.unqueue(stream);
    const release = () => {
      stream.loading = false;
      this.#streams.queue(stream);
    };
    try {
      const page = await this.#ahead.read(stream, from, PAGE);
      const chosen = choose(page);
      const entries = page.slice(0, chosen);
      const replaced = (kept: readonly SpoolEntry[], dropped: number) => {
        this.#replaced(stream, entries, kept);
        this.#dropped += dropped;
      };
      return new HeldPage(stream.name, entries, page[chosen], { replaced, release });
    } catch (error) {
      release();
      throw error;
    }
  }

  #replaced(stream: Stream, entries: readonly SpoolEntry[], kept: readonly SpoolEntry[]): void {
    const remaining = new Set(kept.map(({ number }) => number));
    for (const { number, spooled } of entries) {
      this.#streams.count(stream, -1, -encodeSpooled(spooled).length);
      this.#ahead.forget(stream, number);
      if (!remaining.has(number)) stream.acknowledge(number);
    }
    for (const { spooled } of kept) this.#streams.count(stream, 1, encodeSpooled(spooled).length);
    stream.skipAcknowledged();
  }
}
