/**
 * What waits on disk for the broker: a stream for each gateway and one for the node, each in order and
 * with gapless numbers. A small part of it is kept in memory, so that live readings need no read.
 */
import type { Log, Store, Write } from "../core/ports.ts";
import { below, encodeSpooled, keys, numberOf, streamOf, type Spooled } from "../core/records.ts";
import { encodeRefused } from "../core/refused.ts";
import type { Age } from "./age.ts";
import { Dropped } from "./dropped.ts";
import { ReadAhead } from "./read-ahead.ts";
import { SpoolHold } from "./spool-hold.ts";
import { Appended, stamped, type HeldPage } from "./spool-parts.ts";
import type { SpoolEntry, Stream } from "./stream.ts";
import { Streams } from "./streams.ts";

/** Entries read at once at start. */
const PAGE = 512;
/** Refused messages that are kept. */
const MOST_QUARANTINED = 10_000;

/** A message that was handed out, and the stream it is of. */
export interface TakenEntry {
  readonly stream: string;
  readonly entry: SpoolEntry;
}

/** The spool over a store. */
export class Spool {
  readonly #store: Store;
  readonly #log: Log;
  readonly #age: Pick<Age, "now">;
  readonly #ahead: ReadAhead;
  readonly #streams = new Streams();
  readonly #hold: SpoolHold;
  #appended = 0;
  #quarantined = 0;
  /** What was dropped of each stream, ever. */
  readonly gone = new Dropped();

  constructor(store: Store, log: Log, age: Pick<Age, "now">) {
    this.#store = store;
    this.#log = log;
    this.#age = age;
    this.#ahead = new ReadAhead(store, log);
    this.#hold = new SpoolHold(this.#streams, this.#ahead);
  }

  /** Reads what waits on disk; before anything else is called. */
  async load(): Promise<void> {
    const refused = { ...below(keys.quarantineAll), limit: MOST_QUARANTINED };
    this.#quarantined = (await this.#store.range(refused)).length;
    await this.gone.load(this.#store);
    const range = below(keys.spoolAll);
    let from = range.from;
    for (;;) {
      const entries = await this.#store.range({ from, to: range.to, limit: PAGE });
      for (const { key, value } of entries) this.#found(key, value.length);
      const last = entries.at(-1);
      if (entries.length < PAGE || last === undefined) return;
      from = `${last.key}\0`;
    }
  }

  /** Messages that wait, and their size in characters. */
  get waiting(): { readonly messages: number; readonly bytes: number } {
    return this.#streams.waiting;
  }

  /** What waits by stream: a gateway's id, or `$node` for events. */
  get streams(): { readonly name: string; readonly messages: number; readonly bytes: number }[] {
    return [...this.#streams.all].filter((stream) => stream.messages > 0);
  }

  /** Messages that the broker refused and that are kept aside. */
  get quarantined(): number {
    return this.#quarantined;
  }

  /** Messages dropped since the start because the spool was full. */
  get dropped(): number {
    return this.#hold.dropped;
  }

  /** Whether messages are being read from disk: `wake` will be called. */
  get isReading(): boolean {
    return this.#ahead.isReading;
  }

  /** Characters added since the start. */
  get appended(): number {
    return this.#appended;
  }

  /** Nominal time of the oldest message, null when nothing waits. */
  async oldest(): Promise<number | null> {
    let oldest: number | null = null;
    for (const { name } of this.streams) {
      const slot = await this.oldestOf(name);
      if (slot !== null) oldest = Math.min(oldest ?? Infinity, slot);
    }
    return oldest;
  }

  /** The same of one stream. */
  async oldestOf(name: string): Promise<number | null> {
    const stream = this.#streams.of(name);
    if (stream.empty) return null;
    const head = await this.#ahead.head(stream, stream.first);
    return head?.slot ?? null;
  }

  /** Gives messages their numbers; the caller commits the writes and then confirms. */
  append(name: string, messages: readonly Spooled[]): Appended {
    const stream = this.#streams.of(name);
    const age = Math.floor(this.#age.now / 1000);
    const entries = messages.map((message) => {
      return { number: stream.number(), spooled: stamped(message, age) };
    });
    return new Appended(name, entries, (confirmed) => {
      for (const entry of confirmed) {
        const size = encodeSpooled(entry.spooled).length;
        this.#appended += size;
        this.#streams.count(stream, 1, size);
        this.#confirm(stream, entry);
      }
    });
  }

  /**
   * The next message to publish, streams in turn but for those of `but`; undefined when there is none,
   * or one is being read: then `wake` is called.
   */
  take(wake: () => void, but: ReadonlyMap<string, unknown>): TakenEntry | undefined {
    for (;;) {
      const stream = this.#streams.next(but);
      if (stream === undefined) return undefined;
      const entry = stream.memory.get(stream.next);
      if (entry === undefined) {
        this.#load(stream, wake);
        continue;
      }
      stream.pass();
      this.#streams.queue(stream);
      return { stream: stream.name, entry };
    }
  }

  /** The broker has it; the returned writes delete it from disk, or others when older ones are still to come. */
  acknowledge(name: string, entry: SpoolEntry): Write[] {
    const stream = this.#streams.of(name);
    this.#ahead.forget(stream, entry.number);
    this.#streams.count(stream, -1, -encodeSpooled(entry.spooled).length);
    return stream.settle(entry.number).map((number) => ({ key: keys.spool(name, number) }));
  }

  /** The broker refuses it for good, for a reason and at a wall time; the returned writes move it aside, as long as there is room. */
  quarantine(name: string, entry: SpoolEntry, why: { at: number; reason: string }): Write[] {
    const gone = this.acknowledge(name, entry);
    if (this.#quarantined >= MOST_QUARANTINED) return gone;
    this.#quarantined++;
    const key = keys.quarantine(name, entry.spooled.slot, entry.number);
    return [...gone, { key, value: encodeRefused({ ...why, spooled: entry.spooled }) }];
  }

  /**
   * Holds the stream with the oldest message that was not handed out, with its first messages of `bytes`
   * together, or a page. Streams of `but` are passed over; undefined when there is none.
   */
  holdOldest(bytes: number, but: ReadonlySet<string>): Promise<HeldPage | undefined> {
    return this.#hold.oldest(bytes, but);
  }

  /**
   * Holds a stream with its first messages from number `from` on that were not handed out and `go`, a page
   * of them at most; undefined when none was not handed out, or they are being read.
   */
  hold(
    name: string,
    from: number,
    go: (entry: SpoolEntry) => boolean,
  ): Promise<HeldPage | undefined> {
    return this.#hold.from(this.#streams.of(name), from, go);
  }

  /** The connection is gone: what was handed out and not acknowledged is handed out again, oldest first. */
  rewind(): void {
    for (const stream of this.#streams.all) {
      stream.rewind();
      this.#streams.queue(stream);
    }
  }

  #found(key: string, size: number): void {
    const number = numberOf(key);
    const stream = this.#streams.of(streamOf(key), number);
    stream.found(number);
    this.#streams.queue(stream);
    this.#streams.count(stream, 1, size);
  }

  #confirm(stream: Stream, entry: SpoolEntry): void {
    this.#ahead.remember(stream, entry);
    stream.confirm(entry.number);
    if (!stream.loading) this.#streams.queue(stream);
  }

  #load(stream: Stream, wake: () => void): void {
    if (stream.loading) return;
    const wanted = stream.next;
    const done = (isThere: boolean): void => {
      // Confirmed though the commit had failed, and not in memory: there is nothing to publish.
      if (!isThere) this.#skip(stream, wanted);
      this.#streams.queue(stream);
      wake();
    };
    this.#ahead.load(stream, done, () => {
      this.#streams.queue(stream);
    });
  }

  #skip(stream: Stream, number: number): void {
    stream.acknowledge(number);
    if (stream.next === number) stream.pass();
    this.#streams.count(stream, -1, 0);
    this.#log.error({ stream: stream.name, number }, "a spooled message is not on disk");
  }
}
