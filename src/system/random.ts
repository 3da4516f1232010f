/** Randomness for what need not be secret: jitter. */

/** A number in [0, 1). */
export function random(): number {
  return Math.random();
}
