/**
 * A single-phase energy meter with the input registers of a common DIN rail model:
 * float32 ABCD, 0 voltage V, 6 current A, 12 power W, 70 frequency Hz, 72 import energy kWh.
 */
import { float32At } from "./image.ts";
import type { ImageAt } from "./image.ts";

/** A sum of sines: it moves believably, and its integral is known without a memory. */
interface Wave {
  readonly mean: number;
  readonly sines: readonly Sine[];
}

interface Sine {
  readonly amplitude: number;
  /** Seconds. */
  readonly period: number;
}

/** The last sines of each wave are quick and small: they stand for noise. */
const POWER: Wave = {
  mean: 1500,
  sines: [
    { amplitude: 600, period: 3600 },
    { amplitude: 250, period: 420 },
    { amplitude: 12, period: 7.3 },
    { amplitude: 7, period: 2.9 },
  ],
};
const VOLTAGE: Wave = {
  mean: 230,
  sines: [
    { amplitude: 2, period: 900 },
    { amplitude: 0.4, period: 5.3 },
  ],
};
const FREQUENCY: Wave = {
  mean: 50,
  sines: [
    { amplitude: 0.03, period: 600 },
    { amplitude: 0.008, period: 4.7 },
  ],
};

/** Power above which the alarm is on, W; within reach of the wave. */
const ALARM_ABOVE = 2200;
const POWER_FACTOR = 0.95;
const JOULES_PER_KWH = 3_600_000;

/** An energy meter; meters of different seeds show different values. */
export function energyMeter(seed: string): ImageAt {
  const share = shareOf(seed);
  const size = { coil: 16, discrete: 16, holding: 64, input: 128 };
  const relay = new Map([[0, 1]]);
  const settings = new Map([
    [0, 1],
    [1, 60],
  ]);
  const firstEnergy = 1000 + 500 * share;
  return (seconds) => {
    const power = valueOf(POWER, share, seconds);
    const voltage = valueOf(VOLTAGE, share, seconds);
    const input = new Map([
      ...float32At(0, voltage),
      ...float32At(6, power / (voltage * POWER_FACTOR)),
      ...float32At(12, power),
      ...float32At(70, valueOf(FREQUENCY, share, seconds)),
      ...float32At(72, firstEnergy + integralOf(POWER, share, seconds) / JOULES_PER_KWH),
    ]);
    const alarm = new Map([[0, power > ALARM_ABOVE ? 1 : 0]]);
    return { size, entries: { coil: relay, discrete: alarm, holding: settings, input } };
  };
}

/** A number in [0, 1) from a text: FNV-1a, 32 bits. */
function shareOf(seed: string): number {
  let hash = 0x811c9dc5;
  for (const char of seed) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

/** Phase of the n-th sine; the factor sets the sines of one wave apart. */
function angleOf(sine: Sine, n: number, share: number, seconds: number): number {
  return 2 * Math.PI * (seconds / sine.period + share * (n + 1));
}

function valueOf({ mean, sines }: Wave, share: number, seconds: number): number {
  return sines.reduce(
    (sum, sine, n) => sum + sine.amplitude * Math.sin(angleOf(sine, n, share, seconds)),
    mean,
  );
}

/** The integral of the wave from 0 to `seconds`. */
function integralOf({ mean, sines }: Wave, share: number, seconds: number): number {
  return sines.reduce((sum, sine, n) => {
    const turned =
      Math.cos(angleOf(sine, n, share, 0)) - Math.cos(angleOf(sine, n, share, seconds));
    return sum + ((sine.amplitude * sine.period) / (2 * Math.PI)) * turned;
  }, mean * seconds);
}
