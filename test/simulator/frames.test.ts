import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frameBytes, takeFrames } from "../../src/simulator/frames.ts";
import { SEED } from "../support/seed.ts";

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
    { seed: SEED },
  );
});

test("keeps less than a frame waiting, and gives up on bytes that are no Modbus/TCP", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const taken = takeFrames(Buffer.from(bytes));
      assert.ok(!taken || taken.rest.length < 260);
    }),
    { seed: SEED },
  );
  assert.equal(takeFrames(Buffer.of(0, 1, 0, 1, 0, 6)), undefined, "another protocol");
  assert.equal(takeFrames(Buffer.of(0, 1, 0, 0, 0, 1)), undefined, "no PDU");
  assert.equal(takeFrames(Buffer.of(0, 1, 0, 0, 0, 255)), undefined, "too long");
});
