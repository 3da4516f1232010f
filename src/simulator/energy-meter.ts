/**
 * A single-phase energy meter with the input registers of a common DIN rail model:
 * float32 ABCD, 0 voltage V, 6 current A, 12 power W, 70 frequency Hz, 72 import energy kWh.
 */
import { MODBUS_LIMITS, type Device } from "./device.ts";
import { FREQUENCY, POWER, POWER_FACTOR, VOLTAGE } from "./mains.ts";
import { shareOf } from "./random.ts";
import { integralOf, valueOf } from "./wave.ts";

/** Power above which the alarm is on, W; within reach of the wave. */
const ALARM_ABOVE = 2200;
const JOULES_PER_KWH = 3_600_000;

/** An energy meter; meters of different seeds show different values. */
export function energyMeter(seed: string): Device {
  const share = shareOf(seed);
  const relay = new Map([[0, 1]]);
  const settings = new Map([
    [0, 1],
    [1, 60],
  ]);
  const firstEnergy = 1000 + 500 * share;
  return {
    name: "energy-meter",
    ...MODBUS_LIMITS,
    addresses: { coil: upTo(16), discrete: upTo(16), holding: upTo(64), input: upTo(128) },
    entriesAt: (seconds) => {
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
      return { coil: relay, discrete: alarm, holding: settings, input };
    },
  };
}

function upTo(size: number): ReadonlySet<number> {
  return new Set(Array.from({ length: size }, (_, address) => address));
}

/** The two registers of a float32 in the order ABCD. */
function float32At(address: number, value: number): [number, number][] {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setFloat32(0, value);
  return [
    [address, bytes.getUint16(0)],
    [address + 1, bytes.getUint16(2)],
  ];
}
