/** A device that has the points of a profile and shows values that move as they would. */
import type { MergeLimits, Point, Table } from "../core/model.ts";
import type { Device, Entries } from "./device.ts";
import { limitsOf, put, spanOf, type Raw } from "./raw.ts";
import { powersOf, type Powers } from "./powers.ts";
import { shower, type Shown } from "./shown.ts";

/** What a profile says of its device. */
export interface Profile {
  readonly name: string;
  readonly points: readonly Point[];
  readonly merge: Pick<MergeLimits, "maxRegisters" | "maxBits">;
}

/** A device, and the value that each of its points shows at a time. */
export interface ProfileDevice extends Device {
  /** In engineering units, as far as the type of the point holds them. */
  valuesAt(seconds: number): ReadonlyMap<string, Shown>;
}

/** A device of a profile; those of different seeds show different values. */
export function profileDevice({ name, points, merge }: Profile, seed: string): ProfileDevice {
  const show = shower(points, seed);
  const { maxRegisters, maxBits } = merge;
  const powers = powersOf(points, (point) => show(point, 0));
  const rawsAt = (seconds: number) =>
    points.map((point) => {
      const scale = (point.scale ?? 1) * powers.factorOf(point);
      return { point, scale, raw: rawOf(point, scale, show(point, seconds)) };
    });
  return {
    ...{ name, maxRegisters, maxBits },
    addresses: addressesOf(points, powers),
    entriesAt: (seconds) => {
      const entries = emptyEntries();
      for (const { point, raw } of rawsAt(seconds)) put(entries[point.table], point, raw);
      for (const { table, address, word } of powers.registers) entries[table].set(address, word);
      return entries;
    },
    valuesAt: (seconds) =>
      new Map(
        rawsAt(seconds).map(({ point, scale, raw }) => [point.id, valueOf(point, scale, raw)]),
      ),
  };
}

function emptyEntries() {
  return {
    coil: new Map<number, number>(),
    discrete: new Map<number, number>(),
    holding: new Map<number, number>(),
    input: new Map<number, number>(),
  } satisfies Entries;
}

function addressesOf(points: readonly Point[], powers: Powers): Device["addresses"] {
  const of = (table: Table) => {
    const own = points.filter((point) => point.table === table);
    const scales = powers.registers.filter((register) => register.table === table);
    return new Set([
      ...own.flatMap((point) => Array.from({ length: spanOf(point) }, (_, i) => point.address + i)),
      ...scales.map(({ address }) => address),
    ]);
  };
  return { coil: of("coil"), discrete: of("discrete"), holding: of("holding"), input: of("input") };
}

/** What the registers hold for a value: scaled back, whole and within the type where that is needed. */
function rawOf({ offset = 0, type }: Point, scale: number, shown: Shown): Raw {
  if (typeof shown !== "number") return shown;
  const raw = (shown - offset) / scale;
  const limits = limitsOf(type);
  if (limits === undefined) return type === "float32" ? Math.fround(raw) : raw;
  const whole = BigInt(Math.round(raw));
  const [least, most] = limits;
  return whole < least ? least : whole > most ? most : whole;
}

/** The value that raw stands for. */
function valueOf({ offset = 0 }: Point, scale: number, raw: Raw): Shown {
  return typeof raw === "number" || typeof raw === "bigint" ? Number(raw) * scale + offset : raw;
}
