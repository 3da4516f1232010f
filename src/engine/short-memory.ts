/**
 * A few things by number. Not a Map: one that holds now one thing and now none makes its table anew each time,
 * and old tables, long done with, keep those that follow them from the scavenger.
 */
export class ShortMemory<T extends { readonly number: number }> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  /** What has this number, undefined when it is not held. */
  get(number: number): T | undefined {
    return this.#all[this.#placeOf(number)];
  }

  /** Holds what has a number that is not held yet. */
  add(one: T): void {
    this.#all.push(one);
  }

  /** Holds it no longer; tells whether it was held. */
  delete(number: number): boolean {
    const place = this.#placeOf(number);
    if (place < 0) return false;
    this.#all.splice(place, 1);
    return true;
  }

  #placeOf(number: number): number {
    return this.#all.findIndex((one) => one.number === number);
  }
}
