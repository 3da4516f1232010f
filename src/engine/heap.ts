/** A binary heap of items by the time at which each wants to be looked at. */

/** An item, its time, and its place in the heap: -1 when it is not in it. */
interface Entry<T> {
  readonly item: T;
  time: number;
  place: number;
}

/** Items by rising time; the time of an item can be changed. */
export class TimeHeap<T extends object> {
  readonly #heap: Entry<T>[] = [];
  /** Kept while an item is out: it comes back with its next slot. */
  readonly #entries = new WeakMap<T, Entry<T>>();

  /** The earliest time, Infinity when empty. */
  get earliest(): number {
    return this.#heap[0]?.time ?? Infinity;
  }

  /** Puts an item in, or moves it to another time; Infinity takes it out. */
  set(item: T, time: number): void {
    const entry = this.#entryOf(item);
    if (time === Infinity) {
      if (entry.place >= 0) this.#remove(entry);
      return;
    }
    entry.time = time;
    if (entry.place < 0) entry.place = this.#heap.push(entry) - 1;
    this.#up(entry);
    this.#down(entry);
  }

  /** Takes out the earliest item if its time is not after `now`. */
  takeDue(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.time > now) return undefined;
    this.#remove(first);
    return first.item;
  }

  #entryOf(item: T): Entry<T> {
    let entry = this.#entries.get(item);
    if (entry === undefined) this.#entries.set(item, (entry = { item, time: 0, place: -1 }));
    return entry;
  }

  #remove(entry: Entry<T>): void {
    const { place } = entry;
    entry.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#put(place, last);
    this.#up(last);
    this.#down(last);
  }

  #put(place: number, entry: Entry<T>): void {
    this.#heap[place] = entry;
    entry.place = place;
  }

  #up(entry: Entry<T>): void {
    while (entry.place > 0) {
      const { place } = entry;
      const parent = this.#heap[(place - 1) >> 1];
      if (parent === undefined || parent.time <= entry.time) return;
      this.#put(place, parent);
      this.#put((place - 1) >> 1, entry);
    }
  }

  #down(entry: Entry<T>): void {
    for (;;) {
      const { place } = entry;
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      const least =
        right !== undefined && left !== undefined && right.time < left.time ? right : left;
      if (least === undefined || least.time >= entry.time) return;
      const { place: below } = least;
      this.#put(place, least);
      this.#put(below, entry);
    }
  }
}
