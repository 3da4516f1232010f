import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decoderOf } from "../../src/core/decode.ts";
import type { Order, Point, PointType } from "../../src/core/model.ts";
import { registersOf, widthOf } from "../../src/core/types.ts";

const BASE: Point = {
  id: "p",
  table: "holding",
  address: 0,
  type: "uint16",
  order: "ABCD",
  interval: 1000,
};

function decoded(point: Partial<Point>, words: number[], at = 0): unknown {
  return decoderOf({ ...BASE, ...point })(Uint16Array.from(words), at);
}

interface Case {
  type: PointType;
  order: Order;
  words: number[];
  value: number;
}

const CASES: Case[] = [
  { type: "uint16", order: "ABCD", words: [0x1234], value: 0x1234 },
  { type: "uint16", order: "CDAB", words: [0x1234], value: 0x1234 },
  { type: "uint16", order: "BADC", words: [0x1234], value: 0x3412 },
  { type: "uint16", order: "DCBA", words: [0x1234], value: 0x3412 },
  { type: "int16", order: "ABCD", words: [0xfffe], value: -2 },
  { type: "int16", order: "BADC", words: [0xfeff], value: -2 },
  { type: "int32", order: "ABCD", words: [0xfffe, 0x1dc0], value: -123456 },
  { type: "int32", order: "DCBA", words: [0xc01d, 0xfeff], value: -123456 },
  { type: "int32", order: "BADC", words: [0xfeff, 0xc01d], value: -123456 },
  { type: "int32", order: "CDAB", words: [0x1dc0, 0xfffe], value: -123456 },
  { type: "uint32", order: "ABCD", words: [0xfffe, 0x1dc0], value: 4294843840 },
  { type: "uint32", order: "DCBA", words: [0xc01d, 0xfeff], value: 4294843840 },
  { type: "float32", order: "ABCD", words: [0x4279, 0x999a], value: 62.4 },
  { type: "float32", order: "DCBA", words: [0x9a99, 0x7942], value: 62.4 },
  { type: "float32", order: "BADC", words: [0x7942, 0x9a99], value: 62.4 },
  { type: "float32", order: "CDAB", words: [0x999a, 0x4279], value: 62.4 },
];

for (const { type, order, words, value } of CASES) {
  const hex = words.map((word) => word.toString(16).padStart(4, "0")).join(" ");
  test(`reads ${hex} as ${type} ${order} ${String(value)}`, () => {
    assert.deepEqual(decoded({ type, order }, words), { value });
    assert.deepEqual(decoded({ type, order }, [7, ...words, 9], 1), { value });
  });
}

test("reads a bit of a register, counted from the least significant", () => {
  for (let bit = 0; bit < 16; bit++) {
    assert.deepEqual(decoded({ type: "bool", bit }, [1 << bit]), { value: true });
    assert.deepEqual(decoded({ type: "bool", bit }, [0xffff ^ (1 << bit)]), { value: false });
  }
  assert.deepEqual(decoded({ type: "bool", bit: 0, order: "BADC" }, [0x0100]), { value: true });
});

test("reads an entry of a bit table as true or false", () => {
  for (const table of ["coil", "discrete"] as const) {
    assert.deepEqual(decoded({ table, type: "bool" }, [0, 1], 1), { value: true });
    assert.deepEqual(decoded({ table, type: "bool" }, [0, 1], 0), { value: false });
  }
});

test("scales, then adds the offset, then rounds", () => {
  const flow = { type: "int16", scale: 0.1, offset: -20 } as const;
  assert.deepEqual(decoded(flow, [1000]), { value: 80 });
  assert.deepEqual(decoded({ ...flow, decimals: 1 }, [0xffff]), { value: -20.1 });
  assert.deepEqual(decoded({ decimals: 1, scale: 0.1 }, [3]), { value: 0.3 });
  assert.deepEqual(decoded({ decimals: 0, scale: 0.01, type: "int16" }, [0xffff]), { value: 0 });
});

test("never lets a number out that is not finite", () => {
  const bad = { reason: "not_a_number" };
  const float = { type: "float32" } as const;
  assert.deepEqual(decoded(float, [0x7fc0, 0]), bad);
  assert.deepEqual(decoded(float, [0x7f80, 0]), bad);
  assert.deepEqual(decoded(float, [0xff80, 0]), bad);
  assert.deepEqual(decoded({ ...float, decimals: 2 }, [0x7fc0, 0]), bad);
  assert.deepEqual(decoded({ type: "uint32", scale: 1e300 }, [0xffff, 0xffff]), bad);
  assert.deepEqual(decoded({ type: "float32", scale: 1e300 }, [0x7f7f, 0xffff]), bad);
});

test("refuses words that end before the value does", () => {
  assert.throws(() => decoded({ type: "uint32" }, [1]), { code: "INTERNAL" });
  assert.throws(() => decoded({ type: "uint32", order: "CDAB" }, [1]), { code: "INTERNAL" });
});

test("gives a float32 as the shortest decimal that stands for it", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatBE(value);
      const found = decoderOf({ ...BASE, type: "float32" })(
        Uint16Array.of(bytes.readUInt16BE(0), bytes.readUInt16BE(2)),
        0,
      );
      assert.ok("value" in found && typeof found.value === "number");
      assert.equal(Math.fround(found.value), value + 0);
      for (let digits = 7; digits < 9; digits++) {
        if (Math.fround(Number(value.toPrecision(digits))) !== value) continue;
        assert.equal(found.value, Number(value.toPrecision(digits)) + 0);
        break;
      }
    }),
  );
});

test("reads back what another codec wrote, in every type and order", () => {
  const types = ["int16", "uint16", "int32", "uint32"] as const;
  const orders = ["ABCD", "DCBA", "BADC", "CDAB"] as const;
  const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.constantFrom(...orders), bytes, (type, order, b) => {
      const size = 2 * registersOf({ type });
      const plain = Buffer.from(b.subarray(0, size));
      const value = type.startsWith("u") ? plain.readUIntBE(0, size) : plain.readIntBE(0, size);
      // The letters of an order name the bytes in the order they stand on the wire.
      const letters =
        size === 2 ? { ABCD: "AB", CDAB: "AB", BADC: "BA", DCBA: "BA" }[order] : order;
      const wire = Buffer.from(Array.from(letters, (letter) => plain["ABCD".indexOf(letter)] ?? 0));
      const words = Array.from({ length: size / 2 }, (_, i) => wire.readUInt16BE(2 * i));
      assert.deepEqual(decoded({ type, order }, words), { value });
    }),
  );
});

test("a point takes one bit, or the registers of its type", () => {
  assert.equal(widthOf({ ...BASE, table: "coil", type: "bool" }), 1);
  assert.equal(widthOf({ ...BASE, type: "bool" }), 1);
  assert.equal(widthOf({ ...BASE, type: "uint8" }), 1);
  assert.equal(widthOf({ ...BASE, type: "float32" }), 2);
  assert.equal(widthOf({ ...BASE, type: "bcd32" }), 2);
  assert.equal(widthOf({ ...BASE, type: "uint64" }), 4);
  assert.equal(widthOf({ ...BASE, type: "string", length: 7 }), 7);
  assert.equal(widthOf({ ...BASE, type: "raw", length: 125 }), 125);
});
