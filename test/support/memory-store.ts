/** A store in memory whose disk a test can slow down, break and switch off. */
import { StoreError } from "../../src/core/errors.ts";
import type { Entry, Range, Store, Write } from "../../src/core/ports.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** What a crash does to writes. */
export interface Crash {
  /** Drop everything after the last synced write, as a power cut may; default: a kill, which keeps it. */
  readonly powerCut?: boolean;
  /** Writes in flight reached the disk although nobody was told; default: they did not. */
  readonly inFlightKept?: boolean;
}

/** A store of the tests. */
export interface MemoryStore extends Store {
  /** All entries in order, at once. */
  dump(): Entry[];
  /** The next `count` writes reject; with `applied` they are on disk all the same, as a failed write may be. */
  failNext(count: number, applied?: boolean): void;
  /** Writes wait from now on. */
  hold(): void;
  /** Lets waiting and later writes go on. */
  release(): void;
  /** Writes that wait. */
  pendingWrites(): number;
  /** The machine dies: no call on this store settles any more; returns the disk as the next process finds it. */
  crash(crash?: Crash): MemoryStore;
}

interface Pending {
  readonly batch: readonly Write[];
  readonly sync: boolean;
  readonly settle: (error?: StoreError) => void;
}

/** An empty store, or one with the given entries on disk. */
export function createMemoryStore(entries: readonly Entry[] = []): MemoryStore {
  return new MapStore(entries);
}

class MapStore implements MemoryStore {
  readonly #now = new SortedMap();
  /** The entries as of the last synced write; `#tail` is what came later. */
  readonly #synced = new SortedMap();
  #tail: (readonly Write[])[] = [];
  #waiting: Pending[] = [];
  #held = false;
  #state: "open" | "closed" | "dead" = "open";
  #failures = { count: 0, applied: false };

  constructor(entries: readonly Entry[]) {
    this.#now.apply(entries);
    this.#synced.apply(entries);
  }

  write(batch: readonly Write[], sync: boolean): Promise<void> {
    return this.#call(
      () =>
        new Promise((resolve, reject) => {
          const settle = (error?: StoreError): void => {
            if (error) reject(error);
            else resolve();
          };
          this.#waiting.push({ batch: [...batch], sync, settle });
          queueMicrotask(() => {
            this.#drain();
          });
        }),
    );
  }

  get(key: string): Promise<string | undefined> {
    return this.#call(() => Promise.resolve(this.#now.get(key)));
  }

  range(range: Range): Promise<Entry[]> {
    return this.#call(() => Promise.resolve(this.#now.range(range)));
  }

  async *scan({ from, to }: Pick<Range, "from" | "to">): AsyncGenerator<readonly Entry[]> {
    yield* [await this.range({ from, to })];
  }

  compact(): Promise<void> {
    return this.#call(() => Promise.resolve());
  }

  close(): Promise<void> {
    if (this.#state === "dead") return never();
    this.release();
    this.#drain();
    this.#state = "closed";
    return Promise.resolve();
  }

  dump(): Entry[] {
    return this.#now.entries();
  }

  failNext(count: number, applied = false): void {
    this.#failures = { count, applied };
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    queueMicrotask(() => {
      this.#drain();
    });
  }

  pendingWrites(): number {
    return this.#waiting.length;
  }

  crash(crash: Crash = {}): MemoryStore {
    this.#state = "dead";
    const disk = new MapStore((crash.powerCut ? this.#synced : this.#now).entries());
    const last = crash.powerCut ? this.#waiting.findLastIndex((one) => one.sync) + 1 : Infinity;
    if (crash.inFlightKept) {
      if (crash.powerCut && last > 0) for (const batch of this.#tail) disk.#apply(batch, true);
      for (const { batch } of this.#waiting.slice(0, last)) disk.#apply(batch, true);
    }
    this.#waiting = [];
    return disk;
  }

  #call<T>(run: () => Promise<T>): Promise<T> {
    if (this.#state === "dead") return never();
    if (this.#state === "open") return run();
    return Promise.reject(new StoreError("STORE_FAILED", "The store is closed."));
  }

  #drain(): void {
    while (!this.#held && this.#state === "open") {
      const next = this.#waiting.shift();
      if (!next) return;
      const fails = this.#failures.count > 0;
      if (fails) this.#failures.count -= 1;
      if (!fails || this.#failures.applied) this.#apply(next.batch, next.sync && !fails);
      next.settle(fails ? new StoreError("STORE_FAILED", "The disk failed, as told.") : undefined);
    }
  }

  #apply(batch: readonly Write[], sync: boolean): void {
    this.#now.apply(batch);
    this.#tail.push(batch);
    if (!sync) return;
    for (const earlier of this.#tail) this.#synced.apply(earlier);
    this.#tail = [];
  }
}

/** A map that keeps its keys in order. */
class SortedMap {
  readonly #values = new Map<string, string>();
  readonly #keys = new SortedKeys();

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  apply(batch: readonly Write[]): void {
    for (const { key, value } of batch) {
      if (value === undefined) {
        if (this.#values.delete(key)) this.#keys.remove(key);
      } else {
        if (!this.#values.has(key)) this.#keys.add(key);
        this.#values.set(key, value);
      }
    }
  }

  entries(): Entry[] {
    return this.#keys.all().map(this.#entry);
  }

  range({ from, to, limit = Infinity, reverse = false }: Range): Entry[] {
    return this.#keys.range(from, to, limit, reverse).map(this.#entry);
  }

  #entry = (key: string): Entry => ({ key, value: this.#values.get(key) ?? "" });
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
