/** Reads records for the validation: in pages, counted, what can't be read among the findings. */
import { StoreError, messageOf } from "../core/errors.ts";
import type { Entry, Store } from "../core/ports.ts";
import { below } from "../core/records.ts";
import type { Findings } from "../core/validation.ts";
import { pagesOf } from "./pages.ts";

/** What it reads from. */
export interface ReadingWorld {
  readonly store: Store;
  /** Whether a node runs on it, which has to end before the store can be repaired. */
  readonly live?: true;
  /** Settles when the next page may be read. */
  readonly pause: () => Promise<void>;
}

/** See the head of this file. */
export class LedgerReading {
  readonly #world: ReadingWorld;
  readonly #findings: Findings;
  /** Records read so far. */
  records = 0;

  constructor(world: ReadingWorld, findings: Findings) {
    this.#world = world;
    this.#findings = findings;
  }

  /** The records of a range, page by page. */
  async *pages(range: { from: string; to: string }): AsyncGenerator<readonly Entry[]> {
    const { store, pause } = this.#world;
    const damaged = (_key: string, why: string) => {
      this.#damaged(why);
    };
    try {
      for await (const page of pagesOf(store, range, { pause, damaged })) {
        this.records += page.length;
        yield page;
      }
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "STORE_DAMAGED") throw error;
      // The files themselves: what comes behind can't be reached.
      this.#damaged(`${error.message} What lies behind in ${range.from} was not read.`);
    }
  }

  /** Reads the records below a prefix for their checksums alone. */
  async checksums(prefix: string): Promise<void> {
    const pages = this.pages(below(prefix));
    while ((await pages.next()).done !== true);
  }

  /** What a record says; undefined, and a finding, when it makes no sense. */
  read<T>(key: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#damaged(`The record ${JSON.stringify(key)} makes no sense: ${messageOf(error)}.`);
      return undefined;
    }
  }

  /** All records below a prefix by what follows it. */
  async all<T>(prefix: string, read: (text: string) => T): Promise<Map<string, T>> {
    const found = new Map<string, T>();
    for await (const page of this.pages(below(prefix))) {
      for (const { key, value } of page) {
        const one = this.read(key, () => read(value));
        if (one !== undefined) found.set(key.slice(prefix.length), one);
      }
    }
    return found;
  }

  /** The first key of a range, readable or not. */
  async firstKey(range: {
    from: string;
    to: string;
    reverse?: boolean;
  }): Promise<string | undefined> {
    let first: string | undefined;
    const damaged = (key: string) => {
      first = key;
    };
    const [entry] = await this.#world.store.range({ ...range, limit: 1, damaged });
    return entry?.key ?? first;
  }

  #damaged(text: string): void {
    const next = this.#world.live === true ? "edgepoll stop --node" : "edgepoll start --repair";
    this.#findings.add({ kind: "damaged", text, next });
  }
}
