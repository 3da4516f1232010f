import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decoderOf, type Value } from "../../src/core/decode.ts";
import { encoderOf } from "../../src/core/encode.ts";
import { POINT_TYPES, type Order, type Point } from "../../src/core/model.ts";
import { registersOf, TYPES } from "../../src/core/types.ts";

const BASE: Point = {
  ...{ id: "p", table: "holding", address: 0, type: "uint16", order: "ABCD", interval: 1000 },
};
const ORDERS: readonly Order[] = ["ABCD", "DCBA", "BADC", "CDAB"];

/** The words after a value was put into them. */
function encoded(point: Partial<Point>, value: Value, words: number[] = [0, 0, 0, 0]): number[] {
  const written = Uint16Array.from(words);
  encoderOf({ ...BASE, ...point })(value, written, 0);
  return [...written];
}

const scaling: fc.Arbitrary<Partial<Point>> = fc.record(
  {
    scale: fc.constantFrom(0.1, 0.001, 0.01, 0.5, 2, 10, -1, -0.1, 0.333, 1e-9, 1e6),
    offset: fc.constantFrom(-20, 273.15, 1000, 0.25),
  },
  { requiredKeys: [] },
);

/** A point of any type, with keys that its type allows. */
const anyPoint: fc.Arbitrary<Point> = fc
  .record({
    type: fc.constantFrom(...POINT_TYPES),
    order: fc.constantFrom(...ORDERS),
    byte: fc.constantFrom("high", "low"),
    bit: fc.nat(15),
    length: fc.integer({ min: 1, max: 4 }),
    scaling,
  } as const)
  .map(({ type, scaling: keys, length, ...rest }) => {
    const { kind, registers } = TYPES[type];
    const calculates = kind !== "truth" && kind !== "text";
    return {
      ...{ ...BASE, ...rest, type },
      ...(registers === "length" ? { length } : {}),
      ...(calculates ? keys : {}),
    };
  });

const anyWords = fc.uint16Array({ minLength: 6, maxLength: 6 });

/** Whether a sum or product of doubles can lose digits that the type has. */
function isLossy({ type, scale = 1, offset = 0 }: Point): boolean {
  if (type === "float64") return scale !== 1 || offset !== 0;
  return TYPES[type].kind === "real" && offset !== 0;
}

/** What the arithmetic may lose of a value: its last digits, or a step of a type with few. */
function slackOf({ type, scale = 1, offset = 0 }: Point, value: number): number {
  const digits = (Math.abs(value) + Math.abs(offset)) * 2e-14;
  if (type === "float64") return digits;
  const [relative, least] = type === "float16" ? [2 ** -10, 2 ** -24] : [2 ** -23, 2 ** -149];
  return digits + Math.abs(value - offset) * relative + Math.abs(scale) * least;
}

test("what was read is written so that the same is read, and nothing else changes", () => {
  fc.assert(
    fc.property(anyPoint, anyWords, anyWords, (point, source, target) => {
      const decode = decoderOf(point);
      const found = decode(source, 1);
      fc.pre("value" in found);
      const written = target.slice();
      encoderOf(point)(found.value, written, 1);
      const again = decode(written, 1);
      assert.ok("value" in again);
      if (!isLossy(point)) assert.deepEqual(again, found);
      else {
        const [value, other] = [Number(found.value), Number(again.value)];
        assert.ok(Math.abs(other - value) <= slackOf(point, value), String(other));
      }
      const end = 1 + registersOf(point);
      assert.deepEqual([written[0], ...written.slice(end)], [target[0], ...target.slice(end)]);
    }),
    { numRuns: 20_000 },
  );
});

test("unscaled integers, bits and raw words come back word for word", () => {
  const types = fc.constantFrom(
    ...(["int16", "uint16", "int32", "uint32", "int64", "uint64", "raw"] as const),
  );
  fc.assert(
    fc.property(types, fc.constantFrom(...ORDERS), anyWords, (type, order, source) => {
      const point: Point = { ...BASE, type, order, ...(type === "raw" ? { length: 3 } : {}) };
      const found = decoderOf(point)(source, 0);
      assert.ok("value" in found);
      const written = new Uint16Array(6);
      encoderOf(point)(found.value, written, 0);
      const end = registersOf(point);
      assert.deepEqual(written.slice(0, end), source.slice(0, end));
    }),
  );
});

test("every text without NUL and outer spaces that fits comes back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 8 }), (text) => {
      fc.pre(Buffer.byteLength(text) <= 20 && !text.includes("\0") && !/^ | $/.test(text));
      const point: Point = { ...BASE, type: "string", length: 10, order: "DCBA" };
      const words = new Uint16Array(10).fill(0xffff);
      encoderOf(point)(text, words, 0);
      assert.deepEqual(decoderOf(point)(words, 0), { value: text });
    }),
  );
});

test("every label becomes its number, in every whole type", () => {
  for (const type of ["int8", "uint16", "int32", "uint64", "int64", "bcd16", "bcd32"] as const) {
    const point: Point = { ...BASE, type, enum: { "0": "off", "99": "7", "7": "on" } };
    for (const label of ["off", "on", "7"]) {
      const words = new Uint16Array(4);
      encoderOf(point)(label, words, 0);
      assert.deepEqual(decoderOf(point)(words, 0), { value: label });
    }
  }
});

test("a value rounded to its decimals comes back", () => {
  const raw = fc.integer({ min: -3000, max: 3000 });
  const keys = fc.record({
    scale: fc.constantFrom(0.001, 0.01, 0.1, 0.333, 3),
    decimals: fc.nat(3),
  });
  fc.assert(
    fc.property(raw, keys, (number, more) => {
      const point: Point = { ...BASE, type: "int16", ...more };
      const found = decoderOf(point)(Uint16Array.of(number), 0);
      assert.ok("value" in found);
      const words = new Uint16Array(1);
      encoderOf(point)(found.value, words, 0);
      assert.deepEqual(decoderOf(point)(words, 0), found);
    }),
  );
});

test("bits and bytes of the register that are not the point's stay", () => {
  assert.deepEqual(encoded({ type: "bool", bit: 3 }, true, [0xf0f0]), [0xf0f8]);
  assert.deepEqual(encoded({ type: "bool", bit: 4 }, false, [0xf0f0]), [0xf0e0]);
  assert.deepEqual(encoded({ type: "uint8", byte: "high" }, 0x12, [0xabcd]), [0x12cd]);
  assert.deepEqual(encoded({ type: "int8" }, -1, [0xab00]), [0xabff]);
  assert.deepEqual(encoded({ table: "coil", type: "bool" }, true, [0]), [1]);
  assert.deepEqual(encoded({ table: "coil", type: "bool" }, false, [1]), [0]);
});

test("a scaled value becomes the nearest raw value", () => {
  assert.deepEqual(encoded({ type: "int16", scale: 0.1 }, 62.44, [0]), [624]);
  assert.deepEqual(encoded({ type: "int16", scale: 0.1 }, 69 * 0.3, [0]), [207]);
  assert.deepEqual(encoded({ type: "uint64", scale: 0.001 }, 0.0014), [0, 0, 0, 1]);
  assert.deepEqual(encoded({ type: "float32" }, 62.4, [0, 0]), [0x4279, 0x999a]);
});

/** Columns: the point, a value, what the error says. */
const UNFIT: readonly (readonly [point: Partial<Point>, value: Value, text: string])[] = [
  [{ type: "uint16" }, 65_536, "65536 does not fit p: uint16 holds 0 to 65535, not 65536."],
  [{ type: "int8" }, -129, "int8 holds -128 to 127, not -129"],
  [{ type: "uint16" }, -1, "uint16 holds 0 to 65535, not -1"],
  [{ type: "int16", scale: 0.1 }, 3276.8, "int16 holds -32768 to 32767, not 32768"],
  [{ type: "uint16" }, 1.5, "1.5 does not fit p: uint16 holds whole numbers only."],
  [{ type: "uint16" }, NaN, "it must be a finite number"],
  [{ type: "float32" }, Infinity, "it must be a finite number"],
  [{ type: "float32" }, 1e39, "float32 holds -3.4028235e+38 to 3.4028235e+38, not 1e+39"],
  [{ type: "float16" }, -65_520, "float16 holds -65504 to 65504, not -65520"],
  [
    { type: "float64", scale: 0.1 },
    1e308,
    "float64 holds -1.7976931e+308 to 1.7976931e+308, not Infinity",
  ],
  [{ type: "uint16" }, "5", '"5" does not fit p: it must be a finite number.'],
  [{ type: "uint64" }, 5, "it must be the digits of a whole number, as text"],
  [{ type: "uint64" }, "5.0", "it must be the digits of a whole number, as text"],
  [{ type: "uint64" }, "18446744073709551616", "uint64 holds 0 to 18446744073709551615"],
  [{ type: "int64", scale: 0.5 }, "5", "it must be a finite number"],
  [{ type: "int64", scale: 1e-3 }, 1e30, "int64 holds -9223372036854775808"],
  [{ type: "bcd16" }, 10_000, "bcd16 holds 0 to 9999, not 10000"],
  [{ type: "bcd32" }, -1, "bcd32 holds 0 to 99999999, not -1"],
  [{ type: "bool", bit: 0 }, 1, "it must be true or false"],
  [{ table: "coil", type: "bool" }, "on", "it must be true or false"],
  [{ type: "string", length: 2 }, "abcde", "it is cut"],
  [{ type: "string", length: 2 }, "äöü€", "it is cut"],
  [{ type: "string", length: 2 }, "a\0b", "it is cut"],
  [{ type: "string", length: 2 }, " ab", "it is cut"],
  [{ type: "string", length: 4 }, "\ud800", "it is cut"],
  [{ type: "string", length: 2 }, 12, "it must be text"],
  [{ type: "raw", length: 2 }, "00ff", "it is cut"],
  [{ type: "raw", length: 1 }, "0x12", "it is cut"],
  [{ type: "raw", length: 1 }, "00FF", "it is cut"],
  [{ enum: { "0": "off", "1": "on" } }, "of", "it must be one of off, on"],
  [{ enum: { "0": "off" } }, 0, "it must be one of off"],
  [{ type: "int16", invalid: [32_767] }, 32_767, "it is read as invalid"],
];

for (const [point, value, text] of UNFIT) {
  test(`refuses ${JSON.stringify(value)} for ${JSON.stringify(point)}, and leaves the words`, () => {
    const words = Uint16Array.of(1, 2, 3, 4);
    const encode = encoderOf({ ...BASE, ...point });
    assert.throws(
      () => {
        encode(value, words, 0);
      },
      (error: unknown) => {
        assert.ok(error instanceof Error && "code" in error);
        assert.equal(error.code, "VALUE_UNFIT");
        assert.ok(error.message.includes(text), error.message);
        return true;
      },
    );
    assert.deepEqual([...words], [1, 2, 3, 4]);
  });
}
