/** A binary heap of items by the time at which each wants to be looked at. */

/** Items by rising time; the time of an item can be changed. */
export class TimeHeap<T extends object> {
  readonly #items: T[] = [];
  readonly #times = new Map<T, number>();
  readonly #places = new Map<T, number>();

  /** The earliest time, Infinity when empty. */
  get earliest(): number {
    const first = this.#items[0];
    return first === undefined ? Infinity : this.#timeOf(first);
  }

  /** Puts an item in, or moves it to another time; Infinity takes it out. */
  set(item: T, time: number): void {
    const place = this.#places.get(item);
    if (time === Infinity) {
      if (place !== undefined) this.#remove(item, place);
      return;
    }
    this.#times.set(item, time);
    if (place === undefined) {
      this.#items.push(item);
      this.#up(this.#items.length - 1, item);
    } else {
      this.#up(place, item);
      this.#down(this.#places.get(item) ?? 0, item);
    }
  }

  /** Takes out the earliest item if its time is not after `now`. */
  takeDue(now: number): T | undefined {
    const first = this.#items[0];
    if (first === undefined || this.#timeOf(first) > now) return undefined;
    this.#remove(first, 0);
    return first;
  }

  #timeOf(item: T): number {
    return this.#times.get(item) ?? Infinity;
  }

  #remove(item: T, place: number): void {
    this.#times.delete(item);
    this.#places.delete(item);
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#up(place, last);
    this.#down(this.#places.get(last) ?? 0, last);
  }

  #put(place: number, item: T): void {
    this.#items[place] = item;
    this.#places.set(item, place);
  }

  #up(from: number, item: T): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || this.#timeOf(parent) <= this.#timeOf(item)) break;
      this.#put(place, parent);
      place = above;
    }
    this.#put(place, item);
  }

  #down(from: number, item: T): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      let least = this.#items[child];
      const right = this.#items[child + 1];
      if (least !== undefined && right !== undefined && this.#timeOf(right) < this.#timeOf(least)) {
        least = right;
        child++;
      }
      if (least === undefined || this.#timeOf(least) >= this.#timeOf(item)) break;
      this.#put(place, least);
      place = child;
    }
    this.#put(place, item);
  }
}
