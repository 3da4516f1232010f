/** Keys in order, in pieces: a list of a hundred thousand is not moved for each key that comes or goes. */

/** Keys of one piece; a longer one is cut in two. */
const LONGEST = 512;

/** See the head of this file. */
export class SortedKeys {
  #pieces: string[][] = [[]];

  /** Takes a key that is not there yet. */
  add(key: string): void {
    const at = this.#pieceOf(key);
    const piece = this.#pieces[at];
    if (piece === undefined) return;
    piece.splice(placeIn(piece, key), 0, key);
    if (piece.length > LONGEST) this.#pieces.splice(at + 1, 0, piece.splice(LONGEST / 2));
  }

  /** Forgets a key that is there. */
  remove(key: string): void {
    const at = this.#pieceOf(key);
    const piece = this.#pieces[at];
    piece?.splice(placeIn(piece, key), 1);
    if (piece?.length === 0 && this.#pieces.length > 1) this.#pieces.splice(at, 1);
  }

  all(): string[] {
    return this.#pieces.flat();
  }

  /** Keys from `from` on and before `to`, at most `limit` of them, or from the end. */
  range(from: string, to: string, limit: number, reverse: boolean): string[] {
    const [first, last] = [this.#pieceOf(from), this.#pieceOf(to)];
    const found: string[] = [];
    for (let n = first; n <= last && found.length < limit; n++) {
      const piece = this.#pieces[reverse ? last - (n - first) : n] ?? [];
      const keys = piece.slice(placeIn(piece, from), placeIn(piece, to));
      found.push(...(reverse ? keys.reverse() : keys));
    }
    return found.slice(0, limit);
  }

  /** The piece that holds a key, or would. */
  #pieceOf(key: string): number {
    let low = 0;
    let high = this.#pieces.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#pieces[middle]?.[0] ?? "") <= key) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** Index of the first key that is not below `key`. */
function placeIn(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = keys[middle];
    if (found !== undefined && found < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
