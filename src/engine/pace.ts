/** The pauses that slow devices need between requests, kept over all that goes to an endpoint. */
import type { Pauses } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";

/** When the next request may be sent to an endpoint. */
export class Pace {
  #unitId: number | undefined;
  #endedAt = -Infinity;

  /** A request that was sent has ended, answered or not, at `at` (elapsed ms). */
  ended(unitId: number, at: number): void {
    this.#unitId = unitId;
    this.#endedAt = at;
  }

  /** Waits until this unit may be asked, or the nap is ended. Before another unit the longer pause holds. */
  async keep(unitId: number, pause: Pauses, nap: Nap): Promise<void> {
    const { betweenRequests, betweenUnits } = pause;
    const needed =
      unitId === this.#unitId ? betweenRequests : Math.max(betweenRequests, betweenUnits);
    const until = this.#endedAt + needed;
    // Timers may fire early.
    while (nap.clock.elapsed() < until && !nap.isOver) await nap.take(until - nap.clock.elapsed());
  }
}

/** Waits that can be cut short. */
export class Nap {
  readonly clock: Clock;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Whether it was ended; it waits no more then. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits for so many ms, rounded up to whole ones, or until it is ended. */
  take(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const cancel = this.clock.timer(Math.ceil(ms), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Ends the wait there is, if any, and all to come. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }
}
