/** The data types a point can have, one row each. */
import type { Point, PointType, Table } from "./model.ts";

/** How one data type lies in registers and what becomes of it. */
export interface TypeRow {
  /** Registers a value spans. */
  readonly registers: number;
  /** Type of the value in a reading. */
  readonly json: "number" | "boolean";
  /** The raw value; the view holds its bytes in the order ABCD. */
  readonly read: (bytes: DataView, point: Point) => number | boolean;
}

/** Every data type by name. */
export const TYPES: Readonly<Record<PointType, TypeRow>> = {
  bool: {
    registers: 1,
    json: "boolean",
    read: (bytes, { bit = 0 }) => ((bytes.getUint16(0) >> bit) & 1) === 1,
  },
  int16: { registers: 1, json: "number", read: (bytes) => bytes.getInt16(0) },
  uint16: { registers: 1, json: "number", read: (bytes) => bytes.getUint16(0) },
  int32: { registers: 2, json: "number", read: (bytes) => bytes.getInt32(0) },
  uint32: { registers: 2, json: "number", read: (bytes) => bytes.getUint32(0) },
  float32: { registers: 2, json: "number", read: (bytes) => shortest(bytes.getFloat32(0)) },
};

/** Whether a table holds bits; the others hold registers (Modbus Application Protocol 4.3). */
export function isBitTable(table: Table): boolean {
  return table === "coil" || table === "discrete";
}

/** Entries of its table that a point takes: registers, or one bit. */
export function widthOf(point: Point): number {
  return isBitTable(point.table) ? 1 : TYPES[point.type].registers;
}

/**
 * The decimal with the fewest digits that stands for the same float32: what the device's maker
 * wrote (62.4), not its nearest double (62.400001525878906). Nine digits always suffice.
 */
function shortest(value: number): number {
  for (let digits = 7; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return Number(value.toPrecision(9));
}
