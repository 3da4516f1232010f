/** The part of the spool that is in memory, and the reading of the rest from disk. */
import { messageOf } from "../core/errors.ts";
import type { Log, Store } from "../core/ports.ts";
import { below, decodeSpooled, keys, numberOf, type Spooled } from "../core/records.ts";
import type { SpoolEntry, Stream } from "./stream.ts";

/** Messages kept in memory of one stream, and of all together. */
const AHEAD = 64;
const MOST_IN_MEMORY = 8192;

/** See the head of this file. */
export class ReadAhead {
  readonly #store: Store;
  readonly #log: Log;
  #inMemory = 0;
  #reading = 0;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Whether messages are being read from disk. */
  get isReading(): boolean {
    return this.#reading > 0;
  }

  /** Keeps a message that was just confirmed, as long as there is room. */
  remember(stream: Stream, entry: SpoolEntry): void {
    if (stream.memory.size >= AHEAD) return;
    if (this.#inMemory >= MOST_IN_MEMORY || stream.memory.get(entry.number) !== undefined) return;
    stream.memory.add(entry);
    this.#inMemory++;
  }

  /** Keeps the message no longer. */
  forget(stream: Stream, number: number): void {
    if (stream.memory.delete(number)) this.#inMemory--;
  }

  /** The message with this number, out of memory or from disk. */
  async head(stream: Stream, number: number): Promise<Spooled | undefined> {
    return (stream.memory.get(number) ?? (await this.read(stream, number, 1))[0])?.spooled;
  }

  /** Messages from a number on, from disk. */
  async read(stream: Stream, from: number, limit: number): Promise<SpoolEntry[]> {
    const to = below(keys.spoolStream(stream.name)).to;
    const entries = await this.#store.range({ from: keys.spool(stream.name, from), to, limit });
    return entries.map(({ key, value }) => ({
      number: numberOf(key),
      spooled: decodeSpooled(value),
    }));
  }

  /** Takes the next messages of a stream into memory; `done` is told whether the first of them was there, `failed` that none could be read. */
  load(stream: Stream, done: (isThere: boolean) => void, failed: () => void): void {
    stream.loading = true;
    this.#reading++;
    const wanted = stream.next;
    this.read(stream, wanted, AHEAD)
      .then((entries) => {
        for (const entry of entries) {
          // What is acknowledged may still be on disk: its deletion joins the next batch.
          if (stream.memory.get(entry.number) !== undefined || !stream.waits(entry.number))
            continue;
          stream.memory.add(entry);
          this.#inMemory++;
        }
        stream.loading = false;
        this.#reading--;
        done(entries[0]?.number === wanted);
      })
      .catch((error: unknown) => {
        stream.loading = false;
        this.#reading--;
        failed();
        this.#log.error(
          { stream: stream.name, error: messageOf(error) },
          "the spool can't be read",
        );
      });
  }
}
