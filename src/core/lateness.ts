/** How late slots start: a histogram that is cheap to feed and to keep. */

/** Upper bounds, in ms, of the histogram that is published. */
export const LATE_BOUNDS = [1, 2, 5, 10, 50, 100, 500] as const;

// Finer than what is published, so that percentiles can be read off; holds every published bound.
const FINE = [
  0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.25, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 65,
  80, 100, 130, 160, 200, 250, 320, 400, 500, 1000, 2000, 5000,
] as const;

/** Lateness as published: ms, and slots per bucket (the last one: above all bounds). */
export interface LatenessSummary {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  readonly bounds: readonly number[];
  readonly histogram: readonly number[];
}

/** Collects lateness; all values in ms. */
export class Lateness {
  readonly #fine: number[];
  #max: number;

  constructor(kept?: { readonly fine: readonly number[]; readonly max: number }) {
    this.#fine = FINE.map((_, i) => kept?.fine[i] ?? 0);
    this.#fine.push(kept?.fine[FINE.length] ?? 0);
    this.#max = kept?.max ?? 0;
  }

  /** Adds one slot. */
  add(late: number): void {
    let low: number = 0;
    let high: number = FINE.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (late <= (FINE[middle] ?? Infinity)) high = middle;
      else low = middle + 1;
    }
    this.#fine[low] = (this.#fine[low] ?? 0) + 1;
    this.#max = Math.max(this.#max, late);
  }

  /** What has to be kept to go on after a restart. */
  keep(): { fine: number[]; max: number } {
    return { fine: [...this.#fine], max: this.#max };
  }

  /** The published form. */
  summary(): LatenessSummary {
    const histogram = new Array<number>(LATE_BOUNDS.length + 1).fill(0);
    let coarse = 0;
    this.#fine.forEach((slots, i) => {
      const upper = FINE[i] ?? Infinity;
      while (coarse < LATE_BOUNDS.length && upper > (LATE_BOUNDS[coarse] ?? Infinity)) coarse++;
      histogram[coarse] = (histogram[coarse] ?? 0) + slots;
    });
    const any = histogram.some((slots) => slots > 0);
    return {
      p50: this.#percentile(0.5),
      p99: this.#percentile(0.99),
      max: any ? Math.round(this.#max * 10) / 10 : null,
      bounds: LATE_BOUNDS,
      histogram,
    };
  }

  #percentile(share: number): number | null {
    const total = this.#fine.reduce((sum, slots) => sum + slots, 0);
    if (total === 0) return null;
    let seen = 0;
    for (const [i, slots] of this.#fine.entries()) {
      seen += slots;
      // No percentile lies above the largest value.
      if (seen >= share * total)
        return Math.min(FINE[i] ?? this.#max, Math.round(this.#max * 10) / 10);
    }
    return null;
  }
}
