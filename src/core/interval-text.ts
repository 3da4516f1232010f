/** Intervals as they are written in the configuration, and durations for people. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** Intervals that people choose, ms. */
const ROUND = [
  ...[10, 20, 50, 100, 200, 500, 1000, 2000, 3000, 5000, 10_000, 15_000, 20_000, 30_000],
  ...[60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000],
];

/** A duration in ms, exactly, as it would be written: `1s`, `250ms`, `90s`. */
export function intervalText(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length && ms % length === 0) ?? ["ms", 1];
  return `${String(ms / size)}${unit}`;
}

/** The shortest interval that people choose and that is not below `ms`; whole hours beyond an hour. */
export function roundInterval(ms: number): number {
  const hour = 3_600_000;
  return ROUND.find((round) => round >= ms) ?? Math.ceil(ms / hour) * hour;
}

/** How long something took, in at most two units: `3h12m`, `41s`, `0.4s`. */
export function durationText(ms: number): string {
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
