/** The account of what units on a line may still owe has an end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Owed } from "../../src/modbus/owed.ts";

/** ms for which the answers are reckoned with. */
const RECKONED = 10_000;
/** Requests that are remembered. */
const MOST = 256;

/** A read of one register of unit 1; its checksum is not looked at. */
function readOf(address: number): Buffer {
  const request = Buffer.from([1, 3, 0, 0, 0, 1, 0, 0]);
  request.writeUInt16BE(address, 2);
  return request;
}

/** Answers that are taken for those of other requests, after so many without one, until one is surely the last's. */
function doubtfulAfter(requests: number, every: number): number {
  const owed = new Owed();
  for (let n = 0; n < requests; n += 1) owed.sent(readOf(n), n * every, n * every + RECKONED);
  const now = requests * every;
  let doubtful = 0;
  while (owed.answered(false, now) !== "own") {
    doubtful += 1;
    assert.ok(doubtful <= requests, "an answer pays for a request");
  }
  return doubtful;
}

test("requests without an answer are remembered, up to a number, of which the oldest go first", () => {
  assert.equal(doubtfulAfter(10, 1), 9);
  assert.equal(doubtfulAfter(MOST, 1), MOST - 1);
  assert.equal(doubtfulAfter(20 * MOST, 1), MOST - 1);
});

test("what nobody reckons with any more is not remembered, however few there are", () => {
  assert.equal(doubtfulAfter(30, RECKONED / 4), 3);
});
