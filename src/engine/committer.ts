/**
 * Self-clocking group commit: one batch is on its way to the disk, all that arrives meanwhile joins the
 * next. A slow disk makes batches larger, not more of them.
 */
import { messageOf } from "../core/errors.ts";
import type { Clock, Log, Store, Write } from "../core/ports.ts";

/** Commit times that count as recent, and after how many commits their p99 is looked at again. */
const RECENT = 256;
const REVIEW = 32;
/** ms that writes given to `later` wait for a batch at most. */
const IDLE = 1000;

interface Batch {
  /** In the order in which they were given: the last one of a key counts. */
  writes: Write[];
  /** Those of them that nobody waits for; they go into another batch when this one fails. */
  readonly idle: Set<Write>;
  readonly done: Promise<void>;
  settle(error?: unknown): void;
}

/** What the store is like, by its last commits. */
export interface CommitHealth {
  /** ms. */
  readonly p50: number;
  readonly p99: number;
  readonly state: "ok" | "failing";
}

/** Writes to the store in synced batches. */
export class Committer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  #next: Batch | undefined;
  #current: Promise<void> | undefined;
  /** Writes that wait for a batch without asking for one; the last one of a key counts. */
  #idle = new Map<string, Write>();
  readonly #times: number[] = [];
  #count = 0;
  #slowest = 0;
  #lastBegan = -Infinity;
  #failing = false;

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** On disk and confirmed when it settles; rejects when the store failed, then it may be there or not. */
  commit(writes: readonly Write[]): Promise<void> {
    const batch = (this.#next ??= this.#newBatch());
    for (const write of writes) batch.writes.push(write);
    this.#current ??= this.#drain();
    return batch.done;
  }

  /** Joins the next batch, whenever that comes. A failed batch leaves it waiting. */
  later(writes: readonly Write[]): void {
    for (const write of writes) {
      if (this.#next === undefined) this.#idle.set(write.key, write);
      else {
        this.#next.writes.push(write);
        this.#next.idle.add(write);
      }
    }
  }

  /** Writes what `later` left waiting if no batch came by for a while; rejects as `commit`. */
  async flushIdle(): Promise<void> {
    const idleFor = this.#clock.elapsed() - this.#lastBegan;
    if (this.#idle.size > 0 && idleFor >= IDLE) await this.commit([]);
  }

  /** Recent p99 of commit times, ms. */
  get slowest(): number {
    return this.#slowest;
  }

  /** Recent commit times and whether the last commit failed. */
  get health(): CommitHealth {
    const state = this.#failing ? "failing" : "ok";
    return { p50: percentile(this.#times, 0.5), p99: percentile(this.#times, 0.99), state };
  }

  async #drain(): Promise<void> {
    // One turn of the microtask queue, so that all that is committed in this turn shares the batch.
    await Promise.resolve();
    for (let batch = this.#next; batch !== undefined; batch = this.#next) {
      this.#next = undefined;
      await this.#write(batch);
    }
    this.#current = undefined;
  }

  #newBatch(): Batch {
    const batch = newBatch([...this.#idle.values()]);
    this.#idle.clear();
    return batch;
  }

  async #write(batch: Batch): Promise<void> {
    const began = this.#clock.elapsed();
    this.#lastBegan = began;
    try {
      await this.#store.write(batch.writes, true);
      this.#note(this.#clock.elapsed() - began);
      this.#say(undefined);
      batch.settle();
    } catch (error) {
      this.#putBack(batch);
      this.#say(error);
      batch.settle(error);
    }
  }

  /** What nobody waits for goes before all that was given since. */
  #putBack({ idle }: Batch): void {
    if (this.#next === undefined) {
      const since = this.#idle;
      this.#idle = new Map([...idle].map((write) => [write.key, write]));
      for (const [key, write] of since) this.#idle.set(key, write);
      return;
    }
    this.#next.writes = [...idle, ...this.#next.writes];
    for (const write of idle) this.#next.idle.add(write);
  }

  #note(time: number): void {
    this.#times[this.#count++ % RECENT] = time;
    if (this.#count % REVIEW === 0 || this.#count < REVIEW) {
      this.#slowest = percentile(this.#times, 0.99);
    }
  }

  #say(error: unknown): void {
    const failing = error !== undefined;
    if (failing === this.#failing) return;
    this.#failing = failing;
    if (failing)
      this.#log.error(
        { error: messageOf(error) },
        "the store can't be written; nothing unclaimed is polled",
      );
    else this.#log.info({}, "the store can be written again");
  }
}

function percentile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function newBatch(idle: Write[]): Batch {
  let settle: Batch["settle"] = () => undefined;
  const done = new Promise<void>((resolve, reject) => {
    settle = (error) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error(messageOf(error)));
    };
  });
  // Each caller awaits the same promise; a batch without callers (flush of idle writes) must not count as unhandled.
  done.catch(() => undefined);
  return { writes: idle, idle: new Set(idle), done, settle };
}
