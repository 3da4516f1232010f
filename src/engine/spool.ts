/**
 * What waits on disk for the broker: a stream for each gateway and one for the node, each in order and
 * with gapless numbers. A small part of it is kept in memory, so that live readings need no read.
 */
import type { Log, Store, Write } from "../core/ports.ts";
import { below, encodeSpooled, keys, numberOf, streamOf, type Spooled } from "../core/records.ts";
import { ReadAhead } from "./read-ahead.ts";
import { Appended, HeldPage } from "./spool-parts.ts";
import { Stream, type SpoolEntry } from "./stream.ts";

/** Entries read at once at start. */
const PAGE = 512;
/** Messages looked at together when the spool is full. */
const DROP_PAGE = 256;
/** Messages dropped at once at least: a gap must be smaller than what it stands for. */
const LEAST_DROPPED = 16;
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
  readonly #ahead: ReadAhead;
  readonly #streams = new Map<string, Stream>();
  /** Streams with something to hand out, in the order of their turns. */
  readonly #ready = new Set<Stream>();
  #messages = 0;
  #bytes = 0;
  #appended = 0;
  #quarantined = 0;
  #dropped = 0;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#ahead = new ReadAhead(store, log);
  }

  /** Reads what waits on disk; before anything else is called. */
  async load(): Promise<void> {
    const refused = { ...below(keys.quarantineAll), limit: MOST_QUARANTINED };
    this.#quarantined = (await this.#store.range(refused)).length;
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
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Messages that the broker refused and that are kept aside. */
  get quarantined(): number {
    return this.#quarantined;
  }

  /** Messages dropped since the start because the spool was full. */
  get dropped(): number {
    return this.#dropped;
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
    for (const stream of this.#streams.values()) {
      if (stream.empty) continue;
      const head = await this.#ahead.head(stream, stream.first);
      if (head !== undefined) oldest = Math.min(oldest ?? Infinity, head.slot);
    }
    return oldest;
  }

  /** Gives messages their numbers; the caller commits the writes and then confirms. */
  append(name: string, messages: readonly Spooled[]): Appended {
    const stream = this.#stream(name);
    const entries = messages.map((spooled) => ({ number: stream.number(), spooled }));
    return new Appended(name, entries, (confirmed) => {
      for (const entry of confirmed) {
        const size = encodeSpooled(entry.spooled).length;
        this.#appended += size;
        this.#count(1, size);
        this.#confirm(stream, entry);
      }
    });
  }

  /**
   * The next message to publish, streams in turn but for those of `but`; undefined when there is none,
   * or one is being read: then `wake` is called.
   */
  take(wake: () => void, but: ReadonlyMap<string, unknown>): TakenEntry | undefined {
    for (const stream of this.#ready) {
      if (but.has(stream.name)) continue;
      this.#ready.delete(stream);
      const number = stream.next;
      const spooled = stream.memory.get(number);
      if (spooled === undefined) {
        this.#load(stream, wake);
        continue;
      }
      stream.pass();
      if (stream.ready) this.#ready.add(stream);
      return { stream: stream.name, entry: { number, spooled } };
    }
    return undefined;
  }

  /** The broker has it; the returned writes delete it from disk, or others when older ones are still to come. */
  acknowledge(name: string, entry: SpoolEntry): Write[] {
    const stream = this.#stream(name);
    this.#ahead.forget(stream, entry.number);
    this.#count(-1, -encodeSpooled(entry.spooled).length);
    return stream.settle(entry.number).map((number) => ({ key: keys.spool(name, number) }));
  }

  /** The broker refuses it for good; the returned writes move it aside, as long as there is room. */
  quarantine(name: string, entry: SpoolEntry): Write[] {
    const gone = this.acknowledge(name, entry);
    if (this.#quarantined >= MOST_QUARANTINED) return gone;
    this.#quarantined++;
    const key = keys.quarantine(name, entry.spooled.slot, entry.number);
    return [...gone, { key, value: encodeSpooled(entry.spooled) }];
  }

  /**
   * Holds the stream with the oldest message that was not handed out, with its first messages of `bytes`
   * together, or a page. Streams of `but` are passed over; undefined when there is none.
   */
  async holdOldest(bytes: number, but: ReadonlySet<string>): Promise<HeldPage | undefined> {
    let found: { stream: Stream; slot: number } | undefined;
    for (const stream of this.#streams.values()) {
      if (!stream.ready || stream.loading || but.has(stream.name)) continue;
      const head = await this.#ahead.head(stream, stream.next);
      if (head !== undefined && head.slot < (found?.slot ?? Infinity)) {
        found = { stream, slot: head.slot };
      }
    }
    if (found === undefined || found.stream.loading) return undefined;
    const { stream } = found;
    stream.loading = true;
    this.#ready.delete(stream);
    const page = await this.#ahead.read(stream, stream.next, DROP_PAGE);
    const entries = page.slice(0, Math.max(LEAST_DROPPED, countOf(page, bytes)));
    return new HeldPage(stream.name, entries, {
      replaced: (kept, dropped) => {
        this.#replaced(stream, entries, kept);
        this.#dropped += dropped;
      },
      release: () => {
        stream.loading = false;
        if (stream.ready) this.#ready.add(stream);
      },
    });
  }

  /** The connection is gone: what was handed out and not acknowledged is handed out again, oldest first. */
  rewind(): void {
    for (const stream of this.#streams.values()) {
      stream.rewind();
      if (stream.ready) this.#ready.add(stream);
    }
  }

  #stream(name: string, first = 1): Stream {
    let stream = this.#streams.get(name);
    if (stream === undefined) this.#streams.set(name, (stream = new Stream(name, first)));
    return stream;
  }

  #found(key: string, size: number): void {
    const number = numberOf(key);
    const stream = this.#stream(streamOf(key), number);
    stream.found(number);
    this.#ready.add(stream);
    this.#count(1, size);
  }

  #confirm(stream: Stream, entry: SpoolEntry): void {
    this.#ahead.remember(stream, entry);
    stream.confirm(entry.number);
    if (stream.ready && !stream.loading) this.#ready.add(stream);
  }

  #load(stream: Stream, wake: () => void): void {
    if (stream.loading) return;
    const wanted = stream.next;
    const done = (isThere: boolean): void => {
      // Confirmed though the commit had failed, and not in memory: there is nothing to publish.
      if (!isThere) this.#skip(stream, wanted);
      if (stream.ready) this.#ready.add(stream);
      wake();
    };
    this.#ahead.load(stream, done, () => this.#ready.add(stream));
  }

  #replaced(stream: Stream, entries: readonly SpoolEntry[], kept: readonly SpoolEntry[]): void {
    const remaining = new Set(kept.map(({ number }) => number));
    for (const { number, spooled } of entries) {
      this.#count(-1, -encodeSpooled(spooled).length);
      this.#ahead.forget(stream, number);
      if (!remaining.has(number)) stream.acknowledge(number);
    }
    for (const { spooled } of kept) this.#count(1, encodeSpooled(spooled).length);
    stream.skipAcknowledged();
  }

  #skip(stream: Stream, number: number): void {
    stream.acknowledge(number);
    if (stream.next === number) stream.pass();
    this.#messages--;
    this.#log.error({ stream: stream.name, number }, "a spooled message is not on disk");
  }

  #count(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }
}

/** How many entries have so many bytes together. */
function countOf(entries: readonly SpoolEntry[], bytes: number): number {
  let sum = 0;
  const end = entries.findIndex(({ spooled }) => (sum += encodeSpooled(spooled).length) >= bytes);
  return end < 0 ? entries.length : end + 1;
}
