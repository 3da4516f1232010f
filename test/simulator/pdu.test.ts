import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Table } from "../../src/core/model.ts";
import { imageDevice, type RegisterImage } from "../../src/simulator/image-device.ts";
import { Memory } from "../../src/simulator/memory.ts";
import { answerTo } from "../../src/simulator/pdu.ts";
import { SEED } from "../support/seed.ts";

/** `size` entries of a table, as a function of the address. */
function image(table: Table, size: number, entry: (address: number) => number): RegisterImage {
  return { table, entries: new Map(Array.from({ length: size }, (_, at) => [at, entry(at)])) };
}

/** Every register holds its address, every third bit is set. */
const IMAGE = [
  image("coil", 3000, (address) => (address % 3 === 0 ? 1 : 0)),
  image("discrete", 20, (address) => (address === 19 ? 1 : 0)),
  image("holding", 300, (address) => address),
  image("input", 10, () => 0),
];

function memory(): Memory {
  return new Memory(imageDevice("plant/meter", IMAGE), () => 0);
}

const shared = memory();

function ask(code: number, address: number, count: number): number[] {
  const pdu = Buffer.alloc(5);
  pdu.writeUInt8(code);
  pdu.writeUInt16BE(address, 1);
  pdu.writeUInt16BE(count, 3);
  return [...answerTo(pdu, shared)];
}

test("answers registers high byte first and bits low bit first", () => {
  assert.deepEqual(ask(3, 255, 2), [3, 4, 0, 255, 1, 0]);
  assert.deepEqual(ask(4, 8, 2), [4, 4, 0, 0, 0, 0]);
  assert.deepEqual(ask(1, 0, 10), [1, 2, 0b01001001, 0b10]);
  assert.deepEqual(ask(2, 11, 9), [2, 2, 0, 1]);
});

const REFUSED: [string, number[], number[]][] = [
  ["a function it does not have", ask(7, 0, 1), [0x87, 1]],
  ["a function code that is none", ask(0x83, 0, 1), [0x83, 1]],
  ["no registers", ask(3, 0, 0), [0x83, 3]],
  ["126 registers", ask(3, 0, 126), [0x83, 3]],
  ["2001 bits", ask(1, 0, 2001), [0x81, 3]],
  ["a register beyond the last", ask(4, 9, 2), [0x84, 2]],
  ["an address beyond the last of all", ask(3, 65535, 125), [0x83, 2]],
  ["a PDU of the wrong length", [...answerTo(Buffer.of(4, 0, 0, 0), shared)], [0x84, 3]],
];
for (const [name, answer, expected] of REFUSED) {
  test(`answers ${name} with exception ${String(expected[1])}`, () => {
    assert.deepEqual(answer, expected);
  });
}

test("answers the most registers and bits that a request may ask for", () => {
  assert.equal(ask(3, 0, 125).length, 252);
  assert.equal(ask(1, 0, 2000).length, 252);
});

const anyPdu = fc.uint8Array({ minLength: 1, maxLength: 253 }).map((bytes) => Buffer.from(bytes));

test("answers any PDU with the same function, in at most 253 bytes", () => {
  fc.assert(
    fc.property(anyPdu, (pdu) => {
      const answer = answerTo(pdu, memory());
      assert.equal((answer[0] ?? 0) & 0x7f, (pdu[0] ?? 0) & 0x7f);
      assert.ok(answer.length >= 2 && answer.length <= 253);
    }),
    { seed: SEED },
  );
});

test("reads across a gap, but not from or to a register that is not there", () => {
  const holes = imageDevice("holes", [
    {
      table: "input",
      entries: new Map([
        [0, 1],
        [1, 2],
        [6, 3],
      ]),
    },
  ]);
  const read = (address: number, count: number) => [
    ...answerTo(Buffer.of(4, 0, address, 0, count), new Memory(holes, () => 0)),
  ];
  assert.deepEqual(read(0, 7), [4, 14, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
  for (const [address, count] of [
    [2, 1],
    [0, 3],
    [5, 2],
    [6, 2],
  ] as const) {
    assert.deepEqual(read(address, count), [0x84, 2], `${String(address)}+${String(count)}`);
  }
});

/** The answers to PDUs, one after the other. */
function talk(...pdus: number[][]): number[][] {
  const unit = memory();
  return pdus.map((pdu) => [...answerTo(Buffer.from(pdu), unit)]);
}

test("keeps what is written, and says so as Modbus does", () => {
  assert.deepEqual(
    talk(
      [5, 0, 1, 0xff, 0],
      [1, 0, 0, 0, 4],
      [15, 0, 2, 0, 10, 2, 0b1010_1010, 0b10],
      [1, 0, 0, 0, 12],
      [6, 0, 7, 0x12, 0x34],
      [16, 0, 8, 0, 2, 4, 0, 1, 0, 2],
      [3, 0, 6, 0, 5],
    ),
    [
      [5, 0, 1, 0xff, 0],
      [1, 1, 0b1011],
      [15, 0, 2, 0, 10],
      [1, 2, 0b1010_1011, 0b1010],
      [6, 0, 7, 0x12, 0x34],
      [16, 0, 8, 0, 2],
      [3, 10, 0, 6, 0x12, 0x34, 0, 1, 0, 2, 0, 10],
    ],
  );
});

test("refuses writes that are wrong or beyond what is there, and writes nothing of them", () => {
  assert.deepEqual(
    talk(
      [5, 0, 1, 0, 1],
      [6, 1, 44, 0, 9],
      [15, 0, 0, 0, 9, 1, 0],
      [15, 0, 0, 7, 0xb1, 0xf7],
      [16, 0, 0, 0, 1, 2, 0],
      [16, 1, 43, 0, 2, 4, 0, 9, 0, 9],
      [3, 1, 43, 0, 1],
    ),
    [
      [0x85, 3],
      [0x86, 2],
      [0x8f, 3],
      [0x8f, 3],
      [0x90, 3],
      [0x90, 2],
      [3, 2, 1, 43],
    ],
  );
});

/** The objects of an answer, by id; the head before them is given as well. */
function objectsOf(answer: readonly number[]): [number[], Record<number, string>] {
  const objects: Record<number, string> = {};
  for (let at = 7; at < answer.length; at += 2 + (answer[at + 1] ?? 0)) {
    const text = answer.slice(at + 2, at + 2 + (answer[at + 1] ?? 0));
    objects[answer[at] ?? 0] = String.fromCharCode(...text);
  }
  return [answer.slice(0, 7), objects];
}

test("says who it is, at the level that is asked for (Modbus Application Protocol 6.21)", () => {
  const basic = { 0: "edgepoll", 1: "simulator", 2: "1" };
  const regular = { ...basic, 4: "simulator", 5: "plant/meter" };
  const ask = (access: number, first: number) => {
    const [answer = []] = talk([43, 14, access, first]);
    return answer.length === 2 ? answer : objectsOf(answer);
  };
  assert.deepEqual(ask(1, 0), [[43, 14, 1, 0x82, 0, 0, 3], basic]);
  assert.deepEqual(ask(2, 0), [[43, 14, 2, 0x82, 0, 0, 5], regular]);
  assert.deepEqual(ask(3, 0), [[43, 14, 3, 0x82, 0, 0, 5], regular], "what there is of extended");
  assert.deepEqual(ask(2, 4), [[43, 14, 2, 0x82, 0, 0, 2], { 4: "simulator", 5: "plant/meter" }]);
  assert.deepEqual(
    ask(1, 4),
    [[43, 14, 1, 0x82, 0, 0, 3], basic],
    "an unknown one: from the first",
  );
  assert.deepEqual(ask(4, 5), [[43, 14, 4, 0x82, 0, 0, 1], { 5: "plant/meter" }]);
  assert.deepEqual(ask(4, 3), [0xab, 2]);
  assert.deepEqual(ask(0, 0), [0xab, 3]);
  assert.deepEqual(talk([43, 13, 1, 0]), [[0xab, 1]]);
});
