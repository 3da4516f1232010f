/** From the words of an answer to the value of a point. */
import { EdgepollError } from "./errors.ts";
import type { Order, Point } from "./model.ts";
import { isBitTable, TYPES } from "./types.ts";

/** A value as it stands in a reading. */
export type Value = number | boolean | string;

/** Why a value is doubtful though it was read. */
export type Doubt = "out_of_range" | "unlisted";

/** What became of a point's words: a value, or why there is none. */
export type Decoded =
  | { readonly value: Value; readonly uncertain?: Doubt }
  | { readonly reason: "not_a_number" };

/** Decodes the value that begins at index `at` of the words of an answer. */
export type Decoder = (words: Uint16Array, at: number) => Decoded;

const NOT_A_NUMBER: Decoded = { reason: "not_a_number" };

/**
 * Chooses once how a point is decoded; value = raw x scale + offset, rounded to its decimals.
 *
 * The decoder throws `INTERNAL` when the words end before the value does. It is not reentrant, and
 * needs not be: it never waits.
 */
export function decoderOf(point: Point): Decoder {
  if (isBitTable(point.table)) return (words, at) => ({ value: wordAt(words, at) !== 0 });
  const { registers, read } = TYPES[point.type];
  const arrange = arrangerOf(point.order, registers);
  const finish = finisherOf(point);
  return (words, at) => {
    const raw = read(arrange(words, at), point);
    return typeof raw === "boolean" ? { value: raw } : finish(raw);
  };
}

/** Brings the bytes of a value into the order ABCD; every call fills the same view again. */
function arrangerOf(order: Order, registers: number): (words: Uint16Array, at: number) => DataView {
  const reversed = order === "DCBA" || order === "CDAB";
  const swapped = order === "DCBA" || order === "BADC";
  const bytes = new DataView(new ArrayBuffer(2 * registers));
  return (words, at) => {
    for (let i = 0; i < registers; i++) {
      const word = wordAt(words, reversed ? at + registers - 1 - i : at + i);
      bytes.setUint16(2 * i, word, swapped);
    }
    return bytes;
  };
}

function finisherOf({ scale = 1, offset = 0, decimals }: Point): (raw: number) => Decoded {
  const isScaled = scale !== 1 || offset !== 0;
  return (raw) => {
    const scaled = isScaled ? shortenDouble(raw * scale + offset) : raw;
    // Adding 0 turns -0 into 0.
    const value = decimals === undefined ? scaled : Number(scaled.toFixed(decimals)) + 0;
    return Number.isFinite(value) ? { value } : NOT_A_NUMBER;
  };
}

/** 3 x 0.1 is 0.3, not 0.30000000000000004: the last digits of a product are the arithmetic's, not the device's. */
function shortenDouble(value: number): number {
  return Number(value.toPrecision(15));
}

function wordAt(words: Uint16Array, index: number): number {
  const word = words[index];
  if (word === undefined) {
    const seen = `${String(words.length)} words, none at ${String(index)}`;
    throw new EdgepollError("INTERNAL", `An answer is shorter than its request: ${seen}.`);
  }
  return word;
}
