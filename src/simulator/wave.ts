/** Values that move. */

/** A sum of sines: it moves believably, and its integral is known without a memory. */
export interface Wave {
  readonly mean: number;
  /** The last ones are quick and small: they stand for noise. */
  readonly sines: readonly Sine[];
}

interface Sine {
  readonly amplitude: number;
  /** Seconds. */
  readonly period: number;
}

/** The wave `seconds` after the beginning; `share`, in [0, 1), sets waves apart. */
export function valueOf({ mean, sines }: Wave, share: number, seconds: number): number {
  return sines.reduce(
    (sum, sine, n) => sum + sine.amplitude * Math.sin(angleOf(sine, n, share, seconds)),
    mean,
  );
}

/** The integral of the wave from the beginning. */
export function integralOf({ mean, sines }: Wave, share: number, seconds: number): number {
  return sines.reduce((sum, sine, n) => {
    const turned =
      Math.cos(angleOf(sine, n, share, 0)) - Math.cos(angleOf(sine, n, share, seconds));
    return sum + ((sine.amplitude * sine.period) / (2 * Math.PI)) * turned;
  }, mean * seconds);
}

/** Phase of the n-th sine; the factor sets the sines of one wave apart. */
function angleOf(sine: Sine, n: number, share: number, seconds: number): number {
  return 2 * Math.PI * (seconds / sine.period + share * (n + 1));
}
