/** Whether another client fights with us for our client id. */

/** So many takeovers within so many ms are no restart of somebody's program, but a fight. */
const FIGHT = 3;
const WITHIN = 60_000;

/** Counts takeovers; times are of `Clock.elapsed`. */
export class Takeovers {
  #recent: number[] = [];

  /** A connection was taken over. */
  note(at: number): void {
    this.#recent = [...this.#recent, at].slice(-FIGHT);
  }

  /** Whether there were three in a minute, the last of them within the last minute. */
  isFight(now: number): boolean {
    const [first, last] = [this.#recent[0], this.#recent[FIGHT - 1]];
    if (first === undefined || last === undefined) return false;
    return last - first <= WITHIN && now - last <= WITHIN;
  }
}
