/** What the simulator puts into registers, read by a codec that it shares nothing with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decoderOf } from "../../src/core/decode.ts";
import type { Order, Point, PointType } from "../../src/core/model.ts";
import { profileDevice } from "../../src/simulator/profile-device.ts";
import { limitsOf, put, spanOf, type Raw } from "../../src/simulator/raw.ts";

const ORDERS: readonly Order[] = ["ABCD", "DCBA", "BADC", "CDAB"];
const AT = 3;

type Sample = readonly [raw: Raw, read?: number | boolean | string];

/** Raw values of each type, and as what they are read where that is something else. */
const SAMPLES: Readonly<Record<PointType, readonly Sample[]>> = {
  bool: [[true], [false]],
  int8: [[-128], [127]],
  uint8: [[200], [0]],
  int16: [[-2], [0x1234]],
  uint16: [[65_534], [0x1234]],
  int32: [[-2], [0x12345678]],
  uint32: [[4_294_967_294], [0x12345678]],
  int64: [
    [-2n, "-2"],
    [0x0102030405060708n, "72623859790382856"],
  ],
  uint64: [[18_446_744_073_709_551_614n, "18446744073709551614"]],
  float16: [[-1.5], [2048], [0.0625]],
  float32: [[-1.5], [123456.75]],
  float64: [[-1.5], [1 / 3]],
  bcd16: [[1234], [7]],
  bcd32: [[12345678], [7]],
  string: [["edge"], ["a"]],
  raw: [["0102a0ff"]],
};

test("every type is read as what was put, in every order", () => {
  for (const [type, samples] of Object.entries(SAMPLES) as [PointType, readonly Sample[]][]) {
    for (const order of ORDERS) {
      const place = { id: "x", table: "holding", address: AT, interval: 1000 } as const;
      const length = type === "string" || type === "raw" ? { length: 2 } : {};
      const plain: Point = { ...place, type, order, ...length };
      const points: Point[] =
        type === "bool"
          ? [
              { ...plain, bit: 0 },
              { ...plain, bit: 13 },
            ]
          : /^u?int8$/.test(type)
            ? [
                { ...plain, byte: "low" },
                { ...plain, byte: "high" },
              ]
            : [plain];
      for (const point of points) {
        for (const [raw, read = raw] of samples) {
          const words = new Map<number, number>();
          put(words, point, raw);
          const seen = decoderOf(point)(
            Uint16Array.from({ length: 8 }, (_, at) => words.get(at) ?? 0),
            AT,
          );
          const told = `${type} ${order} ${String(raw)}`;
          const value = "value" in seen ? seen.value : seen;
          assert.equal(typeof value === "string" ? value.toLowerCase() : value, read, told);
          assert.equal(words.size, spanOf(point), told);
        }
      }
    }
  }
});

test("a bit and a byte leave the rest of their register as it is", () => {
  const place = { id: "x", table: "input", address: 0, order: "ABCD", interval: 1000 } as const;
  const words = new Map([[0, 0x1234]]);
  put(words, { ...place, type: "bool", bit: 0 }, true);
  assert.equal(words.get(0), 0x1235);
  put(words, { ...place, type: "uint8", byte: "high" }, 0xab);
  assert.equal(words.get(0), 0xab35);
  put(words, { ...place, type: "bool", bit: 5 }, false);
  assert.equal(words.get(0), 0xab15);
});

test("limits are those of the type", () => {
  assert.deepEqual(limitsOf("int16"), [-32_768n, 32_767n]);
  assert.deepEqual(limitsOf("uint32"), [0n, 4_294_967_295n]);
  assert.deepEqual(limitsOf("bcd16"), [0n, 9999n]);
  assert.equal(limitsOf("float32"), undefined);
  assert.equal(limitsOf("string"), undefined);
});

test("values are scaled by the powers of ten that the device holds, and fit their type", () => {
  const place = { table: "holding", type: "int16", order: "ABCD", interval: 1000 } as const;
  const points: Point[] = [
    { ...place, id: "voltage-l1", address: 0, scaleRegister: 3, unit: "V" },
    { ...place, id: "power", address: 1, scaleRegister: 4, unit: "W" },
    { ...place, id: "power-l1", address: 2, scaleRegister: 4, unit: "W" },
    { ...place, id: "current", address: 5, unit: "A", scale: 0.01 },
  ];
  const merge = { maxRegisters: 125, maxBits: 2000 };
  const device = profileDevice({ name: "scaled", points, merge }, "a");
  const { holding } = device.entriesAt(100);
  const words = Uint16Array.from({ length: 6 }, (_, at) => holding.get(at) ?? 0);
  assert.deepEqual([...device.addresses.holding].sort(), [0, 1, 2, 3, 4, 5]);
  assert.equal(((words[3] ?? 0) << 16) >> 16, -1, "a tenth of a volt fits, a hundredth does not");
  for (const point of points) {
    const seen = decoderOf(point)(words, point.address);
    assert.ok("value" in seen, point.id);
    const shown = Number(device.valuesAt(100).get(point.id));
    assert.ok(Math.abs(Number(seen.value) - shown) < 1e-6 * shown, point.id);
  }
});
