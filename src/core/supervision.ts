/** When a schedule counts as stalled, and when a process has met too many errors to go on. */

/** ms between two looks. */
export const LOOK_EVERY = 1000;

/** Intervals that may pass without a slot that was begun or accounted. */
const MOST_INTERVALS = 3;
/** A look stands for at most so many ms: a process that was held up itself has not watched in between. */
const LONGEST_LOOK = 1.5 * LOOK_EVERY;
/** ms; three looks, so that a scheduler that was held up as well had its turn. */
const LEAST = 3 * LOOK_EVERY;

/** So many errors nobody caught within so many ms are too many. */
const MOST_ERRORS = 3;
const ERROR_WINDOW = 60_000;

/** Watches the account of one schedule: it moves with every slot that is begun, or left out with a reason. */
export class Watch {
  #epoch = 0;
  #seq = 0;
  #still = 0;

  /** ms watched since it moved. */
  get still(): number {
    return this.#still;
  }

  /** A look at how far the account goes, `passed` ms after the one before. */
  look(epoch: number, seq: number, passed: number): void {
    const moved = this.#epoch !== epoch || this.#seq !== seq;
    this.#epoch = epoch;
    this.#seq = seq;
    this.#still = moved ? 0 : this.#still + Math.min(passed, LONGEST_LOOK);
  }

  /** Begins anew: the schedule is not meant to run, or was restarted. */
  reset(): void {
    this.#epoch = 0;
  }

  /** Whether a schedule that is meant to run has begun no slot for three intervals, and no reason is on record. */
  isStalled(interval: number): boolean {
    return this.#still >= Math.max(MOST_INTERVALS * interval, LEAST);
  }
}

/** The errors that still count at `now`, all times in elapsed ms. */
export function recentErrors(times: readonly number[], now: number): number[] {
  return times.filter((time) => time > now - ERROR_WINDOW).slice(-MOST_ERRORS);
}

/** Whether the process is to end, for the service manager to start it anew. */
export function areTooMany(recent: readonly number[]): boolean {
  return recent.length >= MOST_ERRORS;
}
