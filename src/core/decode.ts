/** From the words of an answer to the value of a point. */
import { arrangerOf, wordAt } from "./arrange.ts";
import { exactScale, shortenDouble } from "./decimal.ts";
import type { Point } from "./model.ts";
import { isBitTable, isScaled, TYPES, type Raw } from "./types.ts";

/** A value as it stands in a reading. */
export type Value = number | boolean | string;

/** Why a value is doubtful though it was read. */
export type Doubt = "out_of_range" | "unlisted";

/** What became of a point's words: a value, or why there is none. */
export type Decoded =
  | { readonly value: Value; readonly uncertain?: Doubt }
  | { readonly reason: "not_a_number" | "invalid" };

/** Decodes the value that begins at index `at` of the words of an answer. */
export type Decoder = (words: Uint16Array, at: number) => Decoded;

/** What becomes of a raw value that is valid. */
type Finisher = (raw: Raw) => Decoded;

/** Of a scale register, either way (SunSpec Device Information Model Specification, sunssf). */
const GREATEST_POWER = 10;

const NOT_A_NUMBER: Decoded = { reason: "not_a_number" };
const INVALID: Decoded = { reason: "invalid" };

/**
 * Chooses once how a point is decoded; value = raw x scale + offset, rounded to its decimals;
 * a scale register holds a power of ten that scale is multiplied with.
 *
 * `invalid` and labels are about the raw value, `min` and `max` about the value. The decoder throws
 * `INTERNAL` when the words end before the value does. It is not reentrant, and needs not be: it
 * never waits.
 */
export function decoderOf(point: Point): Decoder {
  if (isBitTable(point.table)) return (words, at) => ({ value: wordAt(words, at) !== 0 });
  const { read } = TYPES[point.type];
  const { gather } = arrangerOf(point);
  const { invalid = [] } = point;
  const finisherAt = finishersOf(point);
  return (words, at) => {
    const raw: Raw | undefined = read(gather(words, at), point);
    if (raw === undefined) return INVALID;
    const isInvalid = typeof raw !== "boolean" && typeof raw !== "string" && invalid.includes(raw);
    return isInvalid ? INVALID : finisherAt(words, at)(raw);
  };
}

/** What finishes the raw value at an index: another for each content of its scale register, if it has one. */
function finishersOf(point: Point): (words: Uint16Array, at: number) => Finisher {
  const { scale = 1, scaleRegister } = point;
  if (scaleRegister === undefined) {
    const only = finisherOf(point);
    return () => only;
  }
  const distance = scaleRegister - point.address;
  const byPower = new Map<number, Finisher>();
  return (words, at) => {
    // SunSpec calls it sunssf: a signed power of ten; 0x8000 says that there is none.
    const power = (wordAt(words, at + distance) << 16) >> 16;
    if (Math.abs(power) > GREATEST_POWER) return () => INVALID;
    const known = byPower.get(power);
    if (known !== undefined) return known;
    const made = finisherOf({ ...point, scale: shortenDouble(scale * 10 ** power) });
    byPower.set(power, made);
    return made;
  };
}

function finisherOf(point: Point): Finisher {
  if (point.enum !== undefined) return labelling(point.enum);
  const scaled = scalingOf(point);
  const inRange = rangeOf(point);
  return (raw) => {
    if (typeof raw === "boolean" || typeof raw === "string") return { value: raw };
    const value = scaled(raw);
    if (typeof value === "number" && !Number.isFinite(value)) return NOT_A_NUMBER;
    const json = typeof value === "bigint" ? String(value) : value;
    return inRange(value) ? { value: json } : { value: json, uncertain: "out_of_range" };
  };
}

/** An unlisted number is its digits. */
function labelling(labels: Readonly<Record<string, string>>): Finisher {
  const byDigits = new Map(Object.entries(labels));
  return (raw) => {
    const digits = String(raw);
    const label = byDigits.get(digits);
    return label === undefined ? { value: digits, uncertain: "unlisted" } : { value: label };
  };
}

/** A long integer stays one unless it is scaled. */
function scalingOf(point: Point): (raw: number | bigint) => number | bigint {
  const { scale = 1, offset = 0, decimals } = point;
  const rounded = (value: number): number =>
    // Adding 0 turns -0 into 0.
    decimals === undefined ? value : Number(value.toFixed(decimals)) + 0;
  if (!isScaled(point)) return (raw) => (typeof raw === "bigint" ? raw : rounded(raw));
  const { forward } = exactScale(scale, offset);
  return (raw) =>
    rounded(typeof raw === "bigint" ? forward(raw) : shortenDouble(raw * scale + offset));
}

function rangeOf({ min = -Infinity, max = Infinity }: Point): (value: number | bigint) => boolean {
  return (value) => value >= min && value <= max;
}
