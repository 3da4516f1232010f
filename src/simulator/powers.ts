/** The powers of ten that a device keeps in registers beside its values, as SunSpec has them. */
import type { Point, Table } from "../core/model.ts";
import { limitsOf } from "./raw.ts";
import type { Shown } from "./shown.ts";

/** A register with a power of ten. */
export interface PowerRegister {
  readonly table: Table;
  readonly address: number;
  readonly word: number;
}

/** The powers of a device, which stay as they are. */
export interface Powers {
  readonly registers: readonly PowerRegister[];
  /** By how much the value of a point is scaled. */
  factorOf(point: Point): number;
}

/** The finest there is, and the coarsest that any value needs. */
const FINEST = -2;
const COARSEST = 10;
/** How many times a value may grow before its type is too small for it. */
const MARGIN = 10;

/** Chooses for each register the finest power that leaves all its points room to grow. */
export function powersOf(points: readonly Point[], first: (point: Point) => Shown): Powers {
  const scaled = points.filter(({ scaleRegister }) => scaleRegister !== undefined);
  const byPlace = new Map<string, number>();
  for (const point of scaled) {
    const least = finestOf(point, first(point));
    byPlace.set(placeOf(point), Math.max(byPlace.get(placeOf(point)) ?? FINEST, least));
  }
  const powerOf = (point: Point): number => byPlace.get(placeOf(point)) ?? 0;
  return {
    registers: scaled.map((point) => ({
      table: point.table,
      address: point.scaleRegister ?? 0,
      word: powerOf(point) & 0xffff,
    })),
    factorOf: (point) => 10 ** powerOf(point),
  };
}

function placeOf({ table, scaleRegister }: Point): string {
  return `${table} ${String(scaleRegister)}`;
}

function finestOf({ type, scale = 1, offset = 0 }: Point, shown: Shown): number {
  const limits = limitsOf(type);
  if (limits === undefined || typeof shown !== "number") return FINEST;
  const largest = MARGIN * Math.abs((shown - offset) / scale);
  let power = FINEST;
  while (power < COARSEST && largest / 10 ** power > Number(limits[1])) power++;
  return power;
}
