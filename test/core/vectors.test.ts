import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { decoderOf, type Value } from "../../src/core/decode.ts";
import { encoderOf } from "../../src/core/encode.ts";
import { POINT_TYPES, type Order, type Point } from "../../src/core/model.ts";

interface Vectors {
  readonly source: string;
  readonly rows: readonly (readonly [type: string, order: Order, words: string, value: Value])[];
}

const folder = new URL("vectors/", import.meta.url);

function vectorsOf(name: string): Vectors {
  // The files are ours, and a wrong row fails its test.
  return JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Vectors;
}

/** A point from a description such as `uint8 high scale 10`. */
function pointOf(described: string, order: Order, length: number): Point {
  const [name, ...more] = described.split(" ");
  const type = POINT_TYPES.find((known) => known === name);
  assert.ok(type !== undefined, `${described} names no type`);
  const after = (key: string): number | undefined => {
    const at = more.indexOf(key);
    return at < 0 ? undefined : Number(more[at + 1]);
  };
  const [bit, scale] = [after("bit"), after("scale")];
  return {
    ...{ id: "p", table: "holding", address: 0, type, order, interval: 1000 },
    ...(type === "string" || type === "raw" ? { length } : {}),
    ...(more.includes("high") ? { byte: "high" } : {}),
    ...(bit === undefined ? {} : { bit }),
    ...(scale === undefined ? {} : { scale }),
  };
}

/** Values that another program rounds to its float type, as ours are shown. */
function isNear(found: unknown, value: Value, type: string): boolean {
  if (typeof found !== "number" || typeof value !== "number") return found === value;
  const error = Math.abs(found - value);
  if (type.startsWith("float16")) return error <= Math.max(2 ** -25, Math.abs(value) / 2048);
  return found === value || (type === "float32" && Math.fround(found) === Math.fround(value));
}

const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

test("there are vectors of three other programs", () => {
  assert.deepEqual(files.sort(), ["libmodbus.json", "pymodbus.json", "telegraf.json"]);
});

for (const file of files) {
  for (const [described, order, hex, value] of vectorsOf(file).rows) {
    const name = `${hex} as ${described} ${order} is ${String(value)}, as in ${file}`;
    test(`${name}, and back`, () => {
      const words = Uint16Array.from(hex.split(" "), (word) => parseInt(word, 16));
      const point = pointOf(described, order, words.length);
      const found = decoderOf(point)(words, 0);
      assert.ok("value" in found && isNear(found.value, value, described), JSON.stringify(found));
      const written = words.slice();
      encoderOf(point)(value, written, 0);
      // A double has fewer values than a scaled integer of 64 bits.
      if (/64 scale/.test(described)) assert.deepEqual(decoderOf(point)(written, 0), found);
      else assert.deepEqual(written, words);
    });
  }
}
