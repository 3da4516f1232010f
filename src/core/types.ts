/** The data types a point can have, one row each. */
import { halfBits, halfOf, roundToHalf } from "./half.ts";
import type { Point, PointType, Table } from "./model.ts";
import { hexOf, putHex, putText, textOf } from "./text.ts";

/** A raw value: what the registers hold, before scale, offset and labels. */
export type Raw = boolean | number | bigint | string;

/** What a reading or a label makes of a raw value depends on its kind only. */
interface Kind<Name extends string, R extends Raw> {
  readonly kind: Name;
  /** Registers a value spans; `length`: as many as the point says, and they keep their order. */
  readonly registers: number | "length";
  /** The raw value, undefined if the bytes are none of this type. The bytes are in the order ABCD. */
  readonly read: (bytes: DataView, point: Point) => R | undefined;
  /** Puts a raw value into the bytes; those that are not the value's stay. */
  readonly write: (bytes: DataView, raw: R, point: Point) => void;
}

/** The range of an integer; that of a real number ends at `most` either way. */
interface Limits<R extends Raw> {
  readonly least: R;
  readonly most: R;
}

/** How one data type lies in registers: a truth value, an integer, a long integer, a real number or text. */
export type TypeRow =
  | Kind<"truth", boolean>
  | (Kind<"integer", number> & Limits<number>)
  | (Kind<"long", bigint> & Limits<bigint>)
  | (Kind<"real", number> & { readonly most: number })
  | Kind<"text", string>;

/** The largest that 32 bits hold (IEEE 754). */
const FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** Every data type by name. */
export const TYPES: Readonly<Record<PointType, TypeRow>> = {
  bool: { kind: "truth", registers: 1, read: bitOf, write: putBit },
  int8: integer(1, "Int8", -0x80, 0x7f),
  uint8: integer(1, "Uint8", 0, 0xff),
  int16: integer(1, "Int16", -0x8000, 0x7fff),
  uint16: integer(1, "Uint16", 0, 0xffff),
  int32: integer(2, "Int32", -0x8000_0000, 0x7fff_ffff),
  uint32: integer(2, "Uint32", 0, 0xffff_ffff),
  int64: long("BigInt64", -(2n ** 63n), 2n ** 63n - 1n),
  uint64: long("BigUint64", 0n, 2n ** 64n - 1n),
  float16: { kind: "real", registers: 1, most: 65_504, read: float16Of, write: putFloat16 },
  float32: { kind: "real", registers: 2, most: FLOAT32, read: float32Of, write: putFloat32 },
  float64: {
    kind: "real",
    registers: 4,
    most: Number.MAX_VALUE,
    read: float64Of,
    write: putFloat64,
  },
  bcd16: bcd(1),
  bcd32: bcd(2),
  string: { kind: "text", registers: "length", read: textOf, write: putText },
  raw: { kind: "text", registers: "length", read: hexOf, write: putHex },
};

/** Whether a table holds bits; the others hold registers (Modbus Application Protocol 4.3). */
export function isBitTable(table: Table): boolean {
  return table === "coil" || table === "discrete";
}

/** Registers that a value of a type spans; of a text the given length. */
export function registersOf({ type, length = 1 }: Pick<Point, "type" | "length">): number {
  const { registers } = TYPES[type];
  return registers === "length" ? length : registers;
}

/** Entries of its table that a point takes: registers, or one bit. */
export function widthOf(point: Pick<Point, "table" | "type" | "length">): number {
  return isBitTable(point.table) ? 1 : registersOf(point);
}

/** What is read for a point, as a range from its address: its own entries, and its scale register wherever that lies. */
export function reachOf(
  point: Pick<Point, "table" | "address" | "type" | "length" | "scaleRegister">,
): { readonly from: number; readonly to: number } {
  const width = widthOf(point);
  if (point.scaleRegister === undefined) return { from: 0, to: width };
  const distance = point.scaleRegister - point.address;
  return { from: Math.min(0, distance), to: Math.max(width, distance + 1) };
}

/** Whether a raw value is scaled or moved: a scale of 1 and an offset of 0 are none. */
export function isScaled({
  scale = 1,
  offset = 0,
  scaleRegister,
}: Pick<Point, "scale" | "offset" | "scaleRegister">): boolean {
  return scale !== 1 || offset !== 0 || scaleRegister !== undefined;
}

/** The type of a point's values in readings; it depends on the configuration alone. */
export function jsonOf(point: Point): "number" | "boolean" | "string" {
  const { kind } = TYPES[point.type];
  if (kind === "truth") return "boolean";
  if (kind === "text" || point.enum !== undefined) return "string";
  return kind === "long" && !isScaled(point) ? "string" : "number";
}

function bitOf(bytes: DataView, { bit = 0 }: Point): boolean {
  return ((bytes.getUint16(0) >> bit) & 1) === 1;
}

function putBit(bytes: DataView, raw: boolean, { bit = 0 }: Point): void {
  const others = bytes.getUint16(0) & ~(1 << bit);
  bytes.setUint16(0, raw ? others | (1 << bit) : others);
}

function integer(
  registers: number,
  name: "Int8" | "Uint8" | "Int16" | "Uint16" | "Int32" | "Uint32",
  least: number,
  most: number,
): TypeRow {
  const isByte = name === "Int8" || name === "Uint8";
  const placeOf = ({ byte }: Point): number => (isByte && byte !== "high" ? 1 : 0);
  return {
    kind: "integer",
    ...{ registers, least, most },
    read: (bytes, point) => bytes[`get${name}`](placeOf(point)),
    write: (bytes, raw, point) => {
      bytes[`set${name}`](placeOf(point), raw);
    },
  };
}

function long(name: "BigInt64" | "BigUint64", least: bigint, most: bigint): TypeRow {
  return {
    kind: "long",
    ...{ registers: 4, least, most },
    read: (bytes) => bytes[`get${name}`](0),
    write: (bytes, raw) => {
      bytes[`set${name}`](0, raw);
    },
  };
}

/** Four decimal digits a register, one in four bits, without a sign; beyond 9 they are none. */
function bcd(registers: number): TypeRow {
  return {
    kind: "integer",
    ...{ registers, least: 0, most: 10 ** (4 * registers) - 1 },
    read: (bytes) => {
      const digits = hexOf(bytes);
      return /^\d+$/.test(digits) ? Number(digits) : undefined;
    },
    write: (bytes, raw) => {
      putHex(bytes, String(raw).padStart(4 * registers, "0"));
    },
  };
}

function float16Of(bytes: DataView): number {
  return shortest(halfOf(bytes.getUint16(0)), 3, 5, roundToHalf);
}

function putFloat16(bytes: DataView, raw: number): void {
  bytes.setUint16(0, halfBits(raw));
}

function float32Of(bytes: DataView): number {
  return shortest(bytes.getFloat32(0), 7, 9, Math.fround);
}

function putFloat32(bytes: DataView, raw: number): void {
  bytes.setFloat32(0, raw);
}

function float64Of(bytes: DataView): number {
  // Adding 0 turns -0 into 0.
  return bytes.getFloat64(0) + 0;
}

function putFloat64(bytes: DataView, raw: number): void {
  bytes.setFloat64(0, raw);
}

/** Powers of ten by which the 24 bits of a float32 are multiplied without an error: 5 to the 12th has 28 bits. */
const POWERS = Array.from({ length: 13 }, (_, exponent) => 10 ** exponent);

/**
 * The decimal with the fewest digits that `round` turns into the value: what the device's maker
 * wrote (62.4), not its nearest double (62.400001525878906). `most` digits always suffice.
 */
function shortest(
  value: number,
  fewest: number,
  most: number,
  round: (value: number) => number,
): number {
  for (let digits = fewest; digits < most; digits++) {
    const rounded = withDigits(value, digits);
    if (round(rounded) === value) return rounded;
  }
  return withDigits(value, most);
}

/**
 * `Number(value.toPrecision(digits))` for values of 24 bits, a tenth as long for those neither large nor small:
 * the quotient of a whole number and a power of ten is the double nearest to that decimal.
 */
function withDigits(value: number, digits: number): number {
  const size = Math.abs(value);
  let places = digits - 1 - Math.floor(Math.log10(size));
  // The logarithm of a power of ten may come out too small by a hair.
  if (size >= (POWERS[digits - places] ?? Infinity)) places--;
  const power = POWERS[places];
  if (power === undefined) return Number(value.toPrecision(digits));
  const rounded = Math.round(size * power) / power;
  return value < 0 ? -rounded : rounded;
}
