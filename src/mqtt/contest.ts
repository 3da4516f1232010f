/** Whether the broker ends our connections again and again, as it does when another client has our client id. */

/** So many ends within so many ms are no restart of the broker. */
const MANY = 3;
const WITHIN = 60_000;
/** ms after the last one for which it still counts: by then we come back seldom. */
const LASTS = 300_000;

/** Counts connections that the broker has ended; times are of `Clock.elapsed`. */
export class Contest {
  #recent: number[] = [];
  #until = -Infinity;

  /** The broker ended a connection that stood. */
  note(now: number): void {
    this.#recent = [...this.#recent, now].slice(-MANY);
    const [first = now] = this.#recent;
    const isMany = this.#recent.length === MANY && now - first <= WITHIN;
    if (isMany || this.isOn(now)) this.#until = now + LASTS;
  }

  /** Whether there were three in a minute, the last not longer than five minutes ago. */
  isOn(now: number): boolean {
    return now < this.#until;
  }
}
