/** Durations for people. */

/** A configured duration, exactly: `1s`, `250ms`, `90s`; and how long something took: `3h12m`. */
export { durationText as duration, intervalText as interval } from "../core/interval-text.ts";

/** Lateness and the like: `4.9 ms`; a dash when there is none. */
export function milliseconds(ms: number | null): string {
  return ms === null ? "-" : `${String(ms)} ms`;
}
