/** Counts for people. */

export { count } from "../core/count.ts";

/** A share in percent with two digits, rounded down: it says 100 only when nothing is missing. */
export function percent(part: number, whole: number): string {
  return `${(Math.floor((part * 10_000) / whole) / 100).toFixed(2)} %`;
}
