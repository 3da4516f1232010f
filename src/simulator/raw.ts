/** The simulator's own way from raw values to registers; it shares nothing with what reads them. */
import type { Point, PointType } from "../core/model.ts";

/** A raw value: what the registers of a point hold. */
export type Raw = boolean | number | bigint | string;

/** Registers or bits by address, as they are being filled. */
type Words = Map<number, number>;

/** Whole numbers that a type holds, least and most; undefined for all other types. */
export function limitsOf(type: PointType): readonly [bigint, bigint] | undefined {
  const [, sign, digits = ""] = /^(u?)int(\d+)$/.exec(type) ?? [];
  if (sign === "u") return [0n, 2n ** BigInt(digits) - 1n];
  if (sign === "")
    return [-(2n ** BigInt(Number(digits) - 1)), 2n ** BigInt(Number(digits) - 1) - 1n];
  const [, figures] = /^bcd(\d+)$/.exec(type) ?? [];
  return figures === undefined ? undefined : [0n, 10n ** (BigInt(figures) / 4n) - 1n];
}

/** Registers that a value of a point spans; 1 for a bit. */
export function spanOf({ type, length = 1 }: Pick<Point, "type" | "length">): number {
  if (type === "string" || type === "raw") return length;
  return Math.max(1, Number(/\d+$/.exec(type)?.[0] ?? 16) / 16);
}

/** Puts the raw value of a point to its place; what else a register holds stays. */
export function put(words: Words, point: Point, raw: Raw): void {
  const { table, address } = point;
  if (table === "coil" || table === "discrete") {
    words.set(address, raw === true ? 1 : 0);
    return;
  }
  const places = placesOf(point);
  const bytes = Buffer.alloc(2 * places.length);
  places.forEach((place, i) => {
    bytes.writeUInt16BE(turned(words.get(place) ?? 0, point), 2 * i);
  });
  write(bytes, point, raw);
  places.forEach((place, i) => words.set(place, turned(bytes.readUInt16BE(2 * i), point)));
}

/** The addresses of the registers, that of the most significant first. */
function placesOf(point: Point): number[] {
  const places = Array.from({ length: spanOf(point) }, (_, i) => point.address + i);
  const isText = point.type === "string" || point.type === "raw";
  const isReversed = point.order === "DCBA" || point.order === "CDAB";
  return isReversed && !isText ? places.reverse() : places;
}

/** With its two bytes swapped where the order says so; twice is as before. */
function turned(word: number, { order }: Point): number {
  const isSwapped = order === "DCBA" || order === "BADC";
  return isSwapped ? ((word & 0xff) << 8) | (word >> 8) : word;
}

/** Writes the most significant byte first. */
function write(bytes: Buffer, point: Point, raw: Raw): void {
  const { type } = point;
  if (typeof raw === "boolean") {
    const mask = 1 << (point.bit ?? 0);
    const word = bytes.readUInt16BE(0);
    bytes.writeUInt16BE(raw ? word | mask : word & ~mask, 0);
  } else if (typeof raw === "string") {
    bytes.fill(0);
    bytes.write(raw, type === "raw" ? "hex" : "latin1");
  } else if (type === "float16") {
    bytes.writeUInt16BE(halfBits(Number(raw)), 0);
  } else if (type === "float32") {
    bytes.writeFloatBE(Number(raw), 0);
  } else if (type === "float64") {
    bytes.writeDoubleBE(Number(raw), 0);
  } else if (type === "int8" || type === "uint8") {
    bytes.writeUInt8(Number(raw) & 0xff, point.byte === "high" ? 0 : 1);
  } else {
    const isDecimal = type === "bcd16" || type === "bcd32";
    const bits = BigInt.asUintN(8 * bytes.length, BigInt(raw));
    const digits = isDecimal ? String(raw) : bits.toString(16);
    bytes.write(digits.padStart(2 * bytes.length, "0"), "hex");
  }
}

/** The bits of an IEEE 754 half; what is too small for one with all its digits is 0. */
function halfBits(value: number): number {
  const [single] = new Uint32Array(Float32Array.of(value).buffer);
  const bits = single ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  if (exponent <= 0) return sign;
  if (exponent >= 31) return sign | 0x7c00;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
