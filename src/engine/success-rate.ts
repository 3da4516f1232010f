/** Share of good slots in the last hour and the last day, in buckets of a minute and an hour. */

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Counts by bucket; times are elapsed ms. */
class Window {
  readonly #width: number;
  readonly #due: Uint32Array;
  readonly #good: Uint32Array;
  #bucket = 0;

  constructor(width: number, buckets: number) {
    this.#width = width;
    this.#due = new Uint32Array(buckets);
    this.#good = new Uint32Array(buckets);
  }

  add(now: number, due: number, good: number): void {
    const place = this.#turn(now);
    this.#due[place] = (this.#due[place] ?? 0) + due;
    this.#good[place] = (this.#good[place] ?? 0) + good;
  }

  rate(now: number): number | null {
    this.#turn(now);
    const due = this.#due.reduce((sum, slots) => sum + slots, 0);
    if (due === 0) return null;
    const good = this.#good.reduce((sum, slots) => sum + slots, 0);
    return Math.round((good / due) * 10_000) / 10_000;
  }

  /** Empties the buckets that have passed; returns the place of the present one. */
  #turn(now: number): number {
    const bucket = Math.floor(now / this.#width);
    const size = this.#due.length;
    const passed = Math.min(bucket - this.#bucket, size);
    for (let i = 0; i < passed; i++) {
      this.#due[(bucket - i) % size] = 0;
      this.#good[(bucket - i) % size] = 0;
    }
    this.#bucket = Math.max(bucket, this.#bucket);
    return this.#bucket % size;
  }
}

/** The success rate of a gateway: good slots of those due and not stopped. */
export class SuccessRate {
  readonly #hour = new Window(MINUTE, 60);
  readonly #day = new Window(HOUR, 24);

  /** A slot was polled. */
  add(now: number, good: boolean): void {
    this.missed(now, 1, good ? 1 : 0);
  }

  /** Slots came due, of which some were good. */
  missed(now: number, due: number, good = 0): void {
    this.#hour.add(now, due, good);
    this.#day.add(now, due, good);
  }

  /** Rates from 0 to 1; null when no slot was due. */
  summary(now: number): { hour: number | null; day: number | null } {
    return { hour: this.#hour.rate(now), day: this.#day.rate(now) };
  }
}
