/** Waiting between failed connects. */
import type { Random } from "../core/ports.ts";

const FIRST = 100;

/** How long connects are left alone after they failed: from 100 ms, doubling, with jitter. */
export class Backoff {
  readonly #max: number;
  readonly #random: Random;
  #failures = 0;
  #until = 0;
  #reason = "";

  /** `max` in ms; no wait is longer. */
  constructor(max: number, random: Random) {
    this.#max = max;
    this.#random = random;
  }

  /** Why connects are left alone at `now` (elapsed ms), or undefined. */
  reasonAt(now: number): string | undefined {
    return now < this.#until ? this.#reason : undefined;
  }

  /** A connect failed at `now` (elapsed ms). */
  failed(now: number, reason: string): void {
    const longest = Math.min(this.#max, 2 * FIRST * 2 ** this.#failures);
    this.#failures += 1;
    // At least half of it, so that the first wait is 100 ms and the jitter stays when `max` is reached.
    this.#until = now + (longest / 2) * (1 + this.#random());
    this.#reason = reason;
  }

  /** A connect succeeded. */
  clear(): void {
    this.#failures = 0;
    this.#until = 0;
  }
}
