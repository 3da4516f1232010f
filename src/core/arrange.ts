/** The bytes of one value between the words of an answer and the order ABCD. */
import { EdgepollError } from "./errors.ts";
import type { Order, Point } from "./model.ts";
import { registersOf, TYPES } from "./types.ts";

/** Moves the bytes of a value; it has one view, which every call uses again. */
export interface Arranger {
  /** The bytes of the value that begins at index `at`. Throws `INTERNAL` when the words end before. */
  readonly gather: (words: Uint16Array, at: number) => DataView;
  /** Puts the bytes of the view back where they were gathered. */
  readonly scatter: (words: Uint16Array, at: number) => void;
}

/** How the bytes of a point are moved; the registers of a text keep their order. */
export function arrangerOf(point: Pick<Point, "type" | "length" | "order">): Arranger {
  const registers = registersOf(point);
  const reversed = isReversed(point.order) && TYPES[point.type].kind !== "text";
  const swapped = point.order === "DCBA" || point.order === "BADC";
  const bytes = new DataView(new ArrayBuffer(2 * registers));
  const placeOf = (at: number, i: number): number => (reversed ? at + registers - 1 - i : at + i);
  return {
    gather: (words, at) => {
      for (let i = 0; i < registers; i++) {
        bytes.setUint16(2 * i, wordAt(words, placeOf(at, i)), swapped);
      }
      return bytes;
    },
    scatter: (words, at) => {
      for (let i = 0; i < registers; i++) {
        words[placeOf(at, i)] = bytes.getUint16(2 * i, swapped);
      }
    },
  };
}

/** The word at an index. Throws `INTERNAL` when there is none. */
export function wordAt(words: Uint16Array, index: number): number {
  const word = words[index];
  if (word === undefined) {
    const seen = `${String(words.length)} words, none at ${String(index)}`;
    throw new EdgepollError("INTERNAL", `An answer is shorter than its request: ${seen}.`);
  }
  return word;
}

function isReversed(order: Order): boolean {
  return order === "DCBA" || order === "CDAB";
}
