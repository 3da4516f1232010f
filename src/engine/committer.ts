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
/** ms after which a failed batch with something that must be kept is tried again. */
const RETRY = 250;

/** Writes of one caller, together in one batch. */
interface Part {
  readonly writes: () => readonly Write[];
  /** Whether it goes into the next batch, before all that was given since, when its batch fails. */
  readonly kept: boolean;
  /** The key of a write that waits for a batch without asking for one. */
  readonly idle?: string;
  settle(error?: unknown): void;
}

/** What the store is like, by its last commits. */
export interface CommitHealth {
  /** ms. */
  readonly p50: number;
  readonly p99: number;
  readonly state: "ok" | "failing";
  /** What the store said, while it fails. */
  readonly reason?: string;
}

/** Writes to the store in synced batches. */
export class Committer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What goes into the next batch, in the order given: the last write of a key counts. */
  #waiting = new Set<Part>();
  /** Those of them that do not ask for a batch, by key. */
  #idle = new Map<string, Part>();
  /** Whether something that waits asks for a batch. */
  #wanted = false;
  #draining = false;
  #cancelGather: (() => void) | undefined;
  /** Elapsed time at which a batch is asked for, for what waits for company. */
  #gatherUntil = Infinity;
  #cancelRetry: (() => void) | undefined;
  #ended = false;
  readonly #times: number[] = [];
  #count = 0;
  #slowest = 0;
  #lastBegan = -Infinity;
  #failing = false;
  #reason = "";

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** On disk and confirmed when it settles; rejects when the store failed, then it may be there or not. */
  commit(writes: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle: Part["settle"] = (error) => {
        if (error === undefined) resolve();
        else reject(error instanceof Error ? error : new Error(messageOf(error)));
      };
      this.#waiting.add({ writes: () => writes, kept: false, settle });
      this.#want();
    });
  }

  /**
   * Tries until the disk has it, ahead of all that is given later; it waits `patience` ms at most for company.
   * `writes` is asked anew at each try, `failed` told of each that failed. Settles with whether it was kept; false
   * only after `end`.
   */
  keep(writes: () => readonly Write[], failed: () => void, patience: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle: Part["settle"] = (error) => {
        if (error === undefined) resolve(true);
        else failed();
        if (error !== undefined && this.#ended) resolve(false);
      };
      this.#waiting.add({ writes, kept: true, settle });
      this.#gather(patience);
    });
  }

  #gather(patience: number): void {
    const until = this.#clock.elapsed() + patience;
    if (until >= this.#gatherUntil) return;
    this.#cancelGather?.();
    this.#gatherUntil = until;
    this.#cancelGather = this.#clock.timer(patience, this.#want);
  }

  /** Joins the next batch, whenever that comes. A failed batch leaves it waiting. */
  later(writes: readonly Write[]): void {
    for (const write of writes) {
      const before = this.#idle.get(write.key);
      if (before !== undefined) this.#waiting.delete(before);
      const settle = () => undefined;
      const part = { writes: () => [write], kept: true, idle: write.key, settle };
      this.#idle.set(write.key, part);
      this.#waiting.add(part);
    }
  }

  /** Writes what `later` left waiting if no batch came by for a while; rejects as `commit`. */
  async flushIdle(): Promise<void> {
    const idleFor = this.#clock.elapsed() - this.#lastBegan;
    if (this.#idle.size > 0 && idleFor >= IDLE) await this.commit([]);
  }

  /** Tries no longer what failed. */
  end(): void {
    this.#ended = true;
    this.#cancelRetry?.();
    const failing = [...this.#waiting].filter((part) => part.kept && part.idle === undefined);
    for (const part of failing) part.settle(new Error("the node ends"));
  }

  /** Recent p99 of commit times, ms. */
  get slowest(): number {
    return this.#slowest;
  }

  /** Recent commit times and whether the last commit failed. */
  get health(): CommitHealth {
    const times = { p50: percentile(this.#times, 0.5), p99: percentile(this.#times, 0.99) };
    if (!this.#failing) return { ...times, state: "ok" };
    return { ...times, state: "failing", reason: this.#reason };
  }

  readonly #want = (): void => {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    this.#gatherUntil = Infinity;
    this.#wanted = true;
    if (!this.#draining) void this.#drain();
  };

  async #drain(): Promise<void> {
    this.#draining = true;
    // One turn of the microtask queue, so that all that is committed in this turn shares the batch.
    await Promise.resolve();
    while (this.#wanted) {
      const parts = [...this.#waiting];
      // New ones, for a cleared Set keeps what it held, and is kept by nothing but the garbage before
      // it: such a chain outlives scavenges, with all that was ever committed in it.
      this.#waiting = new Set();
      this.#idle = new Map();
      this.#wanted = false;
      await this.#write(parts);
    }
    this.#draining = false;
  }

  async #write(parts: readonly Part[]): Promise<void> {
    const began = this.#clock.elapsed();
    this.#lastBegan = began;
    try {
      const writes = parts.flatMap((part) => part.writes());
      await this.#store.write(writes, true);
      this.#note(this.#clock.elapsed() - began);
      this.#say(undefined);
      for (const part of parts) part.settle();
    } catch (error) {
      this.#putBack(parts);
      this.#say(error);
      for (const part of parts) part.settle(error);
    }
  }

  #putBack(parts: readonly Part[]): void {
    const back: Part[] = [];
    for (const part of parts) {
      const { kept, idle } = part;
      // What was given since under the same key is newer.
      if (!kept || (idle !== undefined && this.#idle.has(idle))) continue;
      if (idle !== undefined) this.#idle.set(idle, part);
      else this.#retryLater();
      back.push(part);
    }
    this.#waiting = new Set([...back, ...this.#waiting]);
  }

  #retryLater(): void {
    if (this.#ended) return;
    this.#cancelRetry ??= this.#clock.timer(RETRY, () => {
      this.#cancelRetry = undefined;
      this.#want();
    });
  }

  #note(time: number): void {
    this.#times[this.#count++ % RECENT] = time;
    if (this.#count % REVIEW === 0 || this.#count < REVIEW) {
      this.#slowest = percentile(this.#times, 0.99);
    }
  }

  #say(error: unknown): void {
    const failing = error !== undefined;
    this.#reason = failing ? messageOf(error) : "";
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
