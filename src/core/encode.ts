/** From the value of a point to the words that a write sends: what `decode` reads, put back. */
import { arrangerOf } from "./arrange.ts";
import { decoderOf, type Value } from "./decode.ts";
import { exactScale, shortenDouble } from "./decimal.ts";
import { ValueError } from "./errors.ts";
import type { Point } from "./model.ts";
import { isBitTable, isScaled, jsonOf, TYPES, type Raw, type TypeRow } from "./types.ts";

/**
 * Puts a value into the words from index `at`; bits and bytes of a register that are not the
 * point's stay. Throws `VALUE_UNFIT`, and then the words are as they were.
 */
export type Encoder = (value: Value, words: Uint16Array, at: number) => void;

/**
 * Chooses once how a point is encoded.
 *
 * A value has the JSON type it has in readings. A scaled one becomes the nearest raw value, a real
 * number the nearest of its type; an integer that is not scaled must be whole, a label listed, a
 * text must come back as it was given. `min` and `max` say what is plausible, not what fits.
 */
export function encoderOf(point: Point): Encoder {
  if (isBitTable(point.table)) {
    return (value, words, at) => {
      words[at] = truthOf(value, point) ? 1 : 0;
    };
  }
  const row = TYPES[point.type];
  const { gather, scatter } = arrangerOf(point);
  const decode = decoderOf(point);
  return (value, words, at) => {
    const before = words.slice();
    put(row, gather(words, at), value, point);
    scatter(words, at);
    const found = decode(words, at);
    const isLost = "reason" in found || (row.kind === "text" && found.value !== value);
    if (!isLost) return;
    words.set(before);
    throw unfit(
      point,
      value,
      "reason" in found ? loss(found.reason, row, point, value) : "it is cut",
    );
  };
}

/** Writes the raw value into the bytes; each kind has its own way to it. */
function put(row: TypeRow, bytes: DataView, value: Value, point: Point): void {
  switch (row.kind) {
    case "truth":
      row.write(bytes, truthOf(value, point), point);
      return;
    case "integer":
      row.write(bytes, within(integerOf(value, point), row, point, value), point);
      return;
    case "long":
      row.write(bytes, within(longOf(value, point), row, point, value), point);
      return;
    case "real":
      row.write(bytes, unscaled(numberOf(value, point), point), point);
      return;
    case "text":
      row.write(bytes, textOf(value, point), point);
  }
}

function truthOf(value: Value, point: Point): boolean {
  if (typeof value === "boolean") return value;
  throw unfit(point, value, "it must be true or false");
}

function numberOf(value: Value, point: Point): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw unfit(point, value, "it must be a finite number");
}

function textOf(value: Value, point: Point): string {
  if (typeof value === "string") return value;
  throw unfit(point, value, "it must be text");
}

/** The raw value of an integer: that of the label, else the nearest one. */
function integerOf(value: Value, point: Point): number {
  if (point.enum !== undefined) return Number(digitsOf(value, point, point.enum));
  const raw = unscaled(numberOf(value, point), point);
  if (isScaled(point)) return Math.round(raw);
  if (Number.isInteger(raw)) return raw;
  throw unfit(point, value, `${point.type} holds whole numbers only`);
}

/** As `integerOf`, without loss beyond 2^53. */
function longOf(value: Value, point: Point): bigint {
  if (point.enum !== undefined) return BigInt(digitsOf(value, point, point.enum));
  const { scale = 1, offset = 0 } = point;
  if (jsonOf(point) === "number") return exactScale(scale, offset).back(numberOf(value, point));
  if (typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
  throw unfit(point, value, "it must be the digits of a whole number, as text");
}

/** The digits that a label stands for. */
function digitsOf(value: Value, point: Point, labels: Readonly<Record<string, string>>): string {
  const [digits] = Object.entries(labels).find(([, label]) => label === value) ?? [];
  if (digits !== undefined) return digits;
  throw unfit(point, value, `it must be one of ${Object.values(labels).join(", ")}`);
}

function unscaled(value: number, point: Point): number {
  const { scale = 1, offset = 0 } = point;
  return isScaled(point) ? shortenDouble((value - offset) / scale) : value;
}

/** The raw value itself if its type can hold it. */
function within<R extends Raw>(
  raw: R,
  { least, most }: { readonly least: R; readonly most: R },
  point: Point,
  value: Value,
): R {
  if (raw >= least && raw <= most) return raw;
  const limits = `${String(least)} to ${String(most)}`;
  throw unfit(point, value, `${point.type} holds ${limits}, not ${String(raw)}`);
}

/** Why a value has become none: a real number beyond its type becomes infinite. */
function loss(reason: string, row: TypeRow, point: Point, value: Value): string {
  if (row.kind !== "real" || reason !== "not_a_number") return `it is read as ${reason}`;
  const most = String(Number(row.most.toPrecision(8)));
  return `${point.type} holds -${most} to ${most}, not ${String(unscaled(numberOf(value, point), point))}`;
}

function unfit({ id }: Point, value: Value, why: string): ValueError {
  return new ValueError("VALUE_UNFIT", `${JSON.stringify(value)} does not fit ${id}: ${why}.`);
}
