import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../../src/core/ports.ts";
import { repeatAt } from "../../src/core/repeat.ts";

function exception(code: number): Answer {
  const when = { sentAt: 990, endedAt: 1000 };
  return { ok: false, reason: "exception", exception: code, ...when, detail: "" };
}

test("a busy device is asked again after 100 ms, while that fits and a retry is left", () => {
  assert.equal(repeatAt(exception(6), 1, 5000), 1100);
  assert.equal(repeatAt(exception(6), 3, 1100), 1100);
  assert.equal(repeatAt(exception(6), 1, 1099), undefined);
  assert.equal(repeatAt(exception(6), 0, 5000), undefined);
});

test("a device at work gets its share of what is left of the slot, from 100 ms to a second", () => {
  assert.equal(repeatAt(exception(5), 1, 1600), 1600);
  assert.equal(repeatAt(exception(5), 3, 1600), 1200);
  assert.equal(repeatAt(exception(5), 3, 60_000), 2000);
  assert.equal(repeatAt(exception(5), 9, 1200), 1100);
  assert.equal(repeatAt(exception(5), 1, 1050), undefined);
});

test("nothing else is repeated: other exceptions would come again, values are there", () => {
  for (const code of [1, 2, 3, 4, 7, 8, 10, 11]) {
    assert.equal(repeatAt(exception(code), 3, 60_000), undefined);
  }
  const silent: Answer = { ok: false, reason: "timeout", sentAt: 1, endedAt: 2, detail: "" };
  const good: Answer = { ok: true, words: new Uint16Array(1), sentAt: 1, endedAt: 2 };
  for (const answer of [silent, good]) assert.equal(repeatAt(answer, 3, 60_000), undefined);
});
