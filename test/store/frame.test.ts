import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame, encodeFrame, RECORD_VERSION } from "../../src/store/frame.ts";

void test("a frame gives back its text", () => {
  for (const text of ["", "a", "ä€😀", "x".repeat(100_000)]) {
    assert.equal(decodeFrame("key", encodeFrame("key", text)), text);
  }
});

void test("any flipped bit, a missing byte and another key are found", () => {
  const frame = encodeFrame("key", '{"n":1}');
  for (let bit = 0; bit < frame.length * 8; bit += 1) {
    const damaged = Buffer.from(frame);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => decodeFrame("key", damaged), { code: "STORE_DAMAGED" });
  }
  for (let length = 0; length < frame.length; length += 1) {
    assert.throws(() => decodeFrame("key", frame.subarray(0, length)), { code: "STORE_DAMAGED" });
  }
  assert.throws(() => decodeFrame("kez", frame), { code: "STORE_DAMAGED", message: /"kez"/ });
});

void test("the border between key and text counts", () => {
  assert.notDeepEqual(encodeFrame("ab", "c").subarray(1, 5), encodeFrame("a", "bc").subarray(1, 5));
});

void test("a newer record is told from a damaged one", () => {
  const frame = encodeFrame("key", "text", RECORD_VERSION + 1);
  assert.throws(() => decodeFrame("key", frame), {
    code: "STORE_VERSION",
    cause: { key: "key", version: RECORD_VERSION + 1 },
  });
});
