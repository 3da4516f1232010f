import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerTo, frameBytes, takeFrames } from "../../src/simulator/frames.ts";
import type { Image } from "../../src/simulator/image.ts";

/** Every register holds its address, every third bit is set. */
const IMAGE: Image = {
  size: { coil: 3000, discrete: 20, holding: 300, input: 10 },
  entries: {
    coil: new Map(Array.from({ length: 3000 }, (_, i) => [i, i % 3 === 0 ? 1 : 0])),
    discrete: new Map([[19, 1]]),
    holding: new Map(Array.from({ length: 300 }, (_, i) => [i, i])),
    input: new Map(),
  },
};

function ask(code: number, address: number, count: number): number[] {
  const pdu = Buffer.alloc(5);
  pdu.writeUInt8(code);
  pdu.writeUInt16BE(address, 1);
  pdu.writeUInt16BE(count, 3);
  return [...answerTo(pdu, IMAGE)];
}

test("answers registers high byte first and bits low bit first", () => {
  assert.deepEqual(ask(3, 255, 2), [3, 4, 0, 255, 1, 0]);
  assert.deepEqual(ask(4, 8, 2), [4, 4, 0, 0, 0, 0]);
  assert.deepEqual(ask(1, 0, 10), [1, 2, 0b01001001, 0b10]);
  assert.deepEqual(ask(2, 11, 9), [2, 2, 0, 1]);
});

const REFUSED: [string, number[], number[]][] = [
  ["a function it does not have", ask(6, 0, 1), [0x86, 1]],
  ["a function code that is none", ask(0x83, 0, 1), [0x83, 1]],
  ["no registers", ask(3, 0, 0), [0x83, 3]],
  ["126 registers", ask(3, 0, 126), [0x83, 3]],
  ["2001 bits", ask(1, 0, 2001), [0x81, 3]],
  ["a register beyond the last", ask(4, 9, 2), [0x84, 2]],
  ["an address beyond the last of all", ask(3, 65535, 125), [0x83, 2]],
  ["a PDU of the wrong length", [...answerTo(Buffer.of(4, 0, 0, 0), IMAGE)], [0x84, 3]],
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
const anyFrame = fc.record(
  { transaction: fc.nat(0xffff), unitId: fc.nat(255), pdu: anyPdu },
  { noNullPrototype: true },
);

test("takes frames off a stream however it is cut", () => {
  const cuts = fc.array(fc.nat(300), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 6 }), cuts, (frames, sizes) => {
      let left = Buffer.concat(frames.map(frameBytes));
      let waiting: Buffer = Buffer.alloc(0);
      const seen = [];
      for (const size of [...sizes, left.length]) {
        const taken = takeFrames(Buffer.concat([waiting, left.subarray(0, size)]));
        assert.ok(taken);
        seen.push(...taken.frames);
        waiting = taken.rest;
        left = left.subarray(size);
      }
      assert.deepEqual(seen, frames);
      assert.equal(waiting.length, 0);
    }),
  );
});

test("answers any PDU with the same function, in at most 253 bytes", () => {
  fc.assert(
    fc.property(anyPdu, (pdu) => {
      const answer = answerTo(pdu, IMAGE);
      assert.equal((answer[0] ?? 0) & 0x7f, (pdu[0] ?? 0) & 0x7f);
      assert.ok(answer.length >= 2 && answer.length <= 253);
    }),
  );
});

test("keeps less than a frame waiting, and gives up on bytes that are no Modbus/TCP", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const taken = takeFrames(Buffer.from(bytes));
      assert.ok(!taken || taken.rest.length < 260);
    }),
  );
  assert.equal(takeFrames(Buffer.of(0, 1, 0, 1, 0, 6)), undefined, "another protocol");
  assert.equal(takeFrames(Buffer.of(0, 1, 0, 0, 0, 1)), undefined, "no PDU");
  assert.equal(takeFrames(Buffer.of(0, 1, 0, 0, 0, 255)), undefined, "too long");
});
