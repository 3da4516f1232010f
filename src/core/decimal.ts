/** Scaling without digits that come from the arithmetic. */

/** A decimal number: `digits` divided by ten to the power of `places`, which is 0 or more. */
interface Decimal {
  readonly digits: bigint;
  readonly places: number;
}

/** raw x scale + offset, and back, for integers that a double can't hold. */
export interface ExactScale {
  /** The double nearest to the exact result. */
  readonly forward: (raw: bigint) => number;
  /** The raw value nearest to the one that gives this finite number. */
  readonly back: (value: number) => bigint;
}

/** Scales without any error but that of the result; scale and offset mean what they are written as. */
export function exactScale(scale: number, offset: number): ExactScale {
  const factor = decimalOf(String(scale));
  const summand = decimalOf(String(offset));
  const places = Math.max(factor.places, summand.places);
  const slope = digitsAt(factor, places);
  const shift = digitsAt(summand, places);
  return {
    forward: (raw) => Number(`${String(raw * slope + shift)}e-${String(places)}`),
    back: (value) => {
      // A hundred digits: the double itself, not the shortest decimal that stands for it.
      const exact = decimalOf(value.toPrecision(100));
      const finer = Math.max(places, exact.places);
      const widen = 10n ** BigInt(finer - places);
      return nearestQuotient(digitsAt(exact, finer) - shift * widen, slope * widen);
    },
  };
}

/** 3 x 0.1 is 0.3, not 0.30000000000000004: the last digits of a product are the arithmetic's, not the device's. */
export function shortenDouble(value: number): number {
  return Number(value.toPrecision(15));
}

/** A finite number as JavaScript writes it, such as `-1.5e-7`. */
function decimalOf(written: string): Decimal {
  const [mantissa = "", exponent = "0"] = written.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = BigInt(whole + fraction);
  const places = fraction.length - Number(exponent);
  return places < 0 ? { digits: digits * 10n ** BigInt(-places), places: 0 } : { digits, places };
}

/** The digits with more places than the number has. */
function digitsAt({ digits, places }: Decimal, wanted: number): bigint {
  return digits * 10n ** BigInt(wanted - places);
}

/** Halfway away from zero. */
function nearestQuotient(dividend: bigint, divisor: bigint): bigint {
  const [above, below] = divisor < 0n ? [-dividend, -divisor] : [dividend, divisor];
  const doubled = 2n * above;
  return (above < 0n ? doubled - below : doubled + below) / (2n * below);
}
