/** Distributions, in the few numbers that are kept of them. */

/** The levels that are kept, in percent. */
export const LEVELS = [1, 10, 25, 50, 75, 90, 95, 99, 99.9, 100] as const;

/** Value at each of the levels, in ms; empty when there was nothing to measure. */
export type Quantiles = readonly number[];

/** The quantiles of some values, in microseconds' resolution. */
export function quantilesOf(values: readonly number[]): Quantiles {
  if (values.length === 0) return [];
  const sorted = Float64Array.from(values).sort();
  return LEVELS.map((level) => {
    const rank = Math.max(1, Math.ceil((level * sorted.length) / 100));
    return Math.round((sorted[rank - 1] ?? 0) * 1000) / 1000;
  });
}

/** The value at a level; undefined when there is none. */
export function at(quantiles: Quantiles, level: (typeof LEVELS)[number]): number | undefined {
  return quantiles[LEVELS.indexOf(level)];
}

/** The middle of some values. */
export function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? 0;
}
