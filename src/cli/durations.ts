/** Durations for people. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** A configured duration, exactly: `1s`, `250ms`, `90s`. */
export { intervalText as interval } from "../core/interval-text.ts";

/** How long something took, in at most two units: `3h12m`, `41s`, `0.4s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${String(Math.floor(seconds * 10) / 10)}s`;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  const parts = UNITS.slice(first, first + 2).map(([unit, size], i, both) => {
    const larger = i === 0 ? Infinity : (both[0]?.[1] ?? Infinity);
    return [Math.floor((ms % larger) / size), unit] as const;
  });
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => String(count) + unit)
    .join("");
}

/** Lateness and the like: `4.9 ms`; a dash when there is none. */
export function milliseconds(ms: number | null): string {
  return ms === null ? "-" : `${String(ms)} ms`;
}
