import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decoderOf } from "../../src/core/decode.ts";
import { exactScale } from "../../src/core/decimal.ts";
import { halfBits, halfOf, roundToHalf } from "../../src/core/half.ts";
import { POINT_TYPES, type Point } from "../../src/core/model.ts";
import { jsonOf, TYPES } from "../../src/core/types.ts";

const BASE: Point = {
  ...{ id: "p", table: "holding", address: 0, type: "uint16", order: "ABCD", interval: 1000 },
};

function decoded(point: Partial<Point>, hex: string): unknown {
  const words = Uint16Array.from(hex.split(" "), (word) => parseInt(word, 16));
  return decoderOf({ ...BASE, ...point })(words, 0);
}

/** Columns: the point, its words, what is read. */
const CASES: readonly (readonly [point: Partial<Point>, words: string, found: object])[] = [
  [{ type: "uint8" }, "12fe", { value: 0xfe }],
  [{ type: "uint8", byte: "low" }, "12fe", { value: 0xfe }],
  [{ type: "uint8", byte: "high" }, "12fe", { value: 0x12 }],
  [{ type: "int8" }, "12fe", { value: -2 }],
  [{ type: "int8", byte: "high", scale: 0.1 }, "fe12", { value: -0.2 }],
  [{ type: "uint8", byte: "high", order: "BADC" }, "12fe", { value: 0xfe }],
  [{ type: "uint8", byte: "high", order: "CDAB" }, "12fe", { value: 0x12 }],
  [{ type: "int64" }, "8000 0000 0000 0000", { value: "-9223372036854775808" }],
  [{ type: "uint64" }, "ffff ffff ffff ffff", { value: "18446744073709551615" }],
  [{ type: "uint64" }, "0020 0000 0000 0001", { value: "9007199254740993" }],
  [{ type: "uint64", scale: 1, offset: 0 }, "0000 0000 0000 0007", { value: "7" }],
  [{ type: "uint64", scale: 0.001 }, "0041 8937 4bc6 a7ef", { value: 18446744073709.55 }],
  [{ type: "uint64", offset: 1 }, "0000 0000 0000 0007", { value: 8 }],
  [{ type: "int64", scale: -0.1, offset: 0.3 }, "0000 0000 0000 0003", { value: 0 }],
  [{ type: "int64", scale: 0.01, decimals: 1 }, "ffff ffff ffff fffb", { value: -0.1 }],
  [{ type: "uint64", order: "DCBA" }, "0807 0605 0403 0201", { value: "72623859790382856" }],
  [{ type: "uint64", order: "CDAB" }, "0708 0506 0304 0102", { value: "72623859790382856" }],
  [{ type: "uint64", order: "BADC" }, "0201 0403 0605 0807", { value: "72623859790382856" }],
  [{ type: "float16" }, "3c00", { value: 1 }],
  [{ type: "float16" }, "2e66", { value: 0.1 }],
  [{ type: "float16" }, "8000", { value: 0 }],
  [{ type: "float16" }, "0001", { value: 5.96e-8 }],
  [{ type: "float16" }, "7c00", { reason: "not_a_number" }],
  [{ type: "float16" }, "7e00", { reason: "not_a_number" }],
  [{ type: "float64" }, "8000 0000 0000 0000", { value: 0 }],
  [{ type: "float64" }, "fff0 0000 0000 0000", { reason: "not_a_number" }],
  [{ type: "float64" }, "7ff8 0000 0000 0000", { reason: "not_a_number" }],
  [{ type: "bcd16" }, "1234", { value: 1234 }],
  [{ type: "bcd16", order: "BADC" }, "3412", { value: 1234 }],
  [{ type: "bcd16" }, "12a4", { reason: "invalid" }],
  [{ type: "bcd16", scale: 0.01 }, "9999", { value: 99.99 }],
  [{ type: "bcd32" }, "0012 3456", { value: 123456 }],
  [{ type: "bcd32", order: "CDAB" }, "3456 0012", { value: 123456 }],
  [{ type: "bcd32" }, "ffff ffff", { reason: "invalid" }],
  [{ type: "string", length: 3 }, "4142 4300 5858", { value: "ABC" }],
  [{ type: "string", length: 3 }, "2041 2042 2020", { value: "A B" }],
  [{ type: "string", length: 2 }, "0000 0000", { value: "" }],
  [{ type: "string", length: 2 }, "c3a4 41e2", { value: "Ã¤Aâ" }],
  [{ type: "string", length: 2 }, "c3a4 4142", { value: "äAB" }],
  [{ type: "string", length: 2 }, "b043 0000", { value: "°C" }],
  [{ type: "string", length: 2 }, "410a 4200", { value: "A\nB" }],
  [{ type: "string", length: 2 }, "efbb bf41", { value: "\ufeffA" }],
  [{ type: "string", length: 2, order: "DCBA" }, "4241 0043", { value: "ABC" }],
  [{ type: "string", length: 2, order: "BADC" }, "4241 0043", { value: "ABC" }],
  [{ type: "string", length: 2, order: "CDAB" }, "4142 4300", { value: "ABC" }],
  [{ type: "raw", length: 2 }, "00ff 0a0b", { value: "00ff0a0b" }],
  [{ type: "raw", length: 2, order: "DCBA" }, "00ff 0a0b", { value: "ff000b0a" }],
  [{ type: "raw", length: 2, order: "CDAB" }, "00ff 0a0b", { value: "00ff0a0b" }],
  [{ enum: { "0": "stopped", "1": "running" } }, "0001", { value: "running" }],
  [{ enum: { "0": "stopped" } }, "0007", { value: "7", uncertain: "unlisted" }],
  [{ type: "int16", enum: { "-1": "unknown" } }, "ffff", { value: "unknown" }],
  [
    { type: "uint64", enum: { "18446744073709551615": "all" } },
    "ffff ffff ffff ffff",
    { value: "all" },
  ],
  [{ type: "bcd16", enum: { "10": "ten" } }, "0010", { value: "ten" }],
  [{ enum: { "0": "stopped" }, invalid: [0] }, "0000", { reason: "invalid" }],
  [{ type: "int16", scale: 0.1, offset: -20, min: 0, max: 80 }, "03e8", { value: 80 }],
  [{ type: "int16", scale: 0.1, max: 99.9 }, "03e8", { value: 100, uncertain: "out_of_range" }],
  [{ type: "int16", min: 0 }, "ffff", { value: -1, uncertain: "out_of_range" }],
  [{ scale: 0.001, decimals: 1, max: 1 }, "0410", { value: 1 }],
  [{ type: "float32", max: 0 }, "7fc0 0000", { reason: "not_a_number" }],
  [{ type: "int64", max: 5 }, "0000 0000 0000 0006", { value: "6", uncertain: "out_of_range" }],
  [
    { type: "int64", max: 2 ** 53 },
    "0020 0000 0000 0001",
    { value: "9007199254740993", uncertain: "out_of_range" },
  ],
  [{ type: "int16", scale: 0.1, invalid: [32_767] }, "7fff", { reason: "invalid" }],
  [{ type: "int16", invalid: [32_767] }, "7ffe", { value: 32_766 }],
  [{ type: "float32", invalid: [-9999.9] }, "c61c 3f9a", { reason: "invalid" }],
  [{ type: "uint64", invalid: [2n ** 64n - 1n] }, "ffff ffff ffff ffff", { reason: "invalid" }],
  [
    { type: "uint64", invalid: [2n ** 64n - 1n] },
    "ffff ffff ffff fffe",
    { value: "18446744073709551614" },
  ],
];

CASES.forEach(([point, words, found]) => {
  const keys = JSON.stringify(point, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  test(`reads ${words} as ${keys}: ${JSON.stringify(found)}`, () => {
    assert.deepEqual(decoded(point, words), found);
  });
});

test("the configuration alone decides the type of a value", () => {
  const words = fc.uint16Array({ minLength: 4, maxLength: 4 });
  const extra: fc.Arbitrary<Partial<Point>> = fc.constantFrom(
    ...[{}, { scale: 0.5 }, { offset: 1 }, { scale: 1 }, { enum: { "0": "a", "255": "b" } }],
  );
  fc.assert(
    fc.property(fc.constantFrom(...POINT_TYPES), extra, words, (type, more, raw) => {
      const { kind } = TYPES[type];
      const fits = kind === "integer" || kind === "long" || (kind === "real" && !more.enum);
      const point: Point = { ...BASE, type, length: 4, ...(fits ? more : {}) };
      const found = decoderOf(point)(raw, 0);
      if ("value" in found) assert.equal(typeof found.value, jsonOf(point));
    }),
  );
});

test("every 16-bit float comes back from its number", () => {
  for (let bits = 0; bits < 0x1_0000; bits++) {
    const value = halfOf(bits);
    if (Number.isNaN(value)) continue;
    // The sign of zero is not kept.
    assert.equal(halfBits(value), bits === 0x8000 ? 0 : bits);
  }
});

test("a number becomes the nearest 16-bit float, the even one halfway", () => {
  const value = fc.double({ min: -65_504, max: 65_504, noNaN: true });
  fc.assert(
    fc.property(value, (wanted) => {
      const near = roundToHalf(wanted);
      const bits = halfBits(wanted);
      for (const other of [bits - 1, bits + 1]) {
        const next = halfOf(other & 0xffff);
        if (Number.isFinite(next)) assert.ok(Math.abs(near - wanted) <= Math.abs(next - wanted));
      }
    }),
  );
  assert.equal(roundToHalf(2049), 2048);
  assert.equal(roundToHalf(2051), 2052);
  assert.equal(roundToHalf(65_519), 65_504);
  assert.equal(roundToHalf(65_520), Infinity);
});

test("exact scaling gives what the digits say, and finds the raw value again", () => {
  assert.equal(exactScale(0.001, 0).forward(18446744073709551n), 18446744073709.551);
  assert.equal(exactScale(1e-7, -0.5).forward(3n), -0.4999997);
  assert.equal(exactScale(1e22, 0).forward(3n), 3e22);
  assert.equal(exactScale(0.1, 0).back(0.3), 3n);
  assert.equal(exactScale(-0.1, 5).back(5.2), -2n);
  assert.equal(exactScale(1e22, 0).back(3e22), 3n);
});
