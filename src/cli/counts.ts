/** Counts for people. */

/** A number with its word: `1 gateway`, `2 gateways`. */
export function count(number: number, word: string): string {
  return `${String(number)} ${word}${number === 1 ? "" : "s"}`;
}

/** A share in percent with two digits, rounded down: it says 100 only when nothing is missing. */
export function percent(part: number, whole: number): string {
  return `${(Math.floor((part * 10_000) / whole) / 100).toFixed(2)} %`;
}
