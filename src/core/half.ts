/** Floating-point numbers of 16 bits (IEEE 754 binary16), which a DataView can't read in Node 20. */

/** The number that 16 bits stand for. */
export function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The bits nearest to a number that is not NaN; halfway the even ones, beyond 65504 infinity. */
export function halfBits(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  // Below 2^-14 the steps no longer shrink.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // 1024 to 2048 steps, fewer below 2^-14; 2048 is the first of the next exponent.
  const steps = nearestEven(size / 2 ** (exponent - 10));
  return sign | (((exponent + 14) << 10) + steps);
}

/** The 16-bit number nearest to a number, as `Math.fround` for 32 bits. */
export function roundToHalf(value: number): number {
  return halfOf(halfBits(value));
}

function nearestEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
