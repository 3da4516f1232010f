/** Register images of SunSpec models as published (sunspec/make-sunspec.py), and devices made of them. */
import { readFileSync } from "node:fs";
import type { SunSpecRead } from "../../src/core/sunspec-registers.ts";

/** A model with a value in every place. */
export interface ModelImage {
  readonly id: number;
  readonly length: number;
  /** In hexadecimal, id and length first. */
  readonly words: string;
  /** The same of a device that has none of the values. */
  readonly none: string;
  /** Value and unit by name, as the model has them. */
  readonly values: Readonly<Record<string, readonly [number | string, string | null]>>;
}

const file = new URL("sunspec/sunspec.json", import.meta.url);

/** All that there are. */
export const IMAGES: readonly ModelImage[] = (
  JSON.parse(readFileSync(file, "utf8")) as { models: ModelImage[] }
).models;

/** The image of a model. */
export function imageOf(id: number): ModelImage {
  const found = IMAGES.find((image) => image.id === id);
  if (found === undefined) throw new Error(`there is no image of model ${String(id)}`);
  return found;
}

export const MARKER = "5375 6e53";
export const END = "ffff 0000";

/** A map with these models, as words in hexadecimal. */
export function mapOf(...ids: number[]): string {
  return [MARKER, ...ids.map((id) => imageOf(id).words), END].join(" ");
}

/** A device that has these words from `base` on and refuses all else, and requests of more than `most`. */
export function deviceOf(base: number, text: string, most = 125) {
  const words = text.split(" ").map((word) => Number.parseInt(word, 16));
  const asked: string[] = [];
  const read: SunSpecRead = (address, count) => {
    asked.push(`${String(address)}+${String(count)}`);
    const from = address - base;
    const isThere = count <= most && from >= 0 && from + count <= words.length;
    return Promise.resolve(isThere ? words.slice(from, from + count) : "refused");
  };
  return { read, asked };
}
