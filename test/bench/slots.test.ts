import assert from "node:assert/strict";
import { test } from "node:test";
import { accountOf } from "../../bench/account.ts";
import { deliveryOf, matched } from "../../bench/delivery.ts";
import { quantilesOf } from "../../bench/quantiles.ts";
import { seenSlots } from "../../bench/slots.ts";
import type { Message } from "../../bench/witness.ts";

const span = { from: 950, to: 2050 };
const even = Array.from({ length: 30 }, (_, n) => 3 + 100 * n);

test("polls on an even grid are neither missed nor doubled", () => {
  const { errors, ...slots } = seenSlots(even, 100, span);
  assert.deepEqual(slots, { due: 11, missed: 0, doubled: 0 });
  assert.deepEqual(new Set(errors), new Set([0]));
});

test("a missing poll, one too many and a late one are seen", () => {
  const times = even.filter((time) => time !== 1203).map((time) => (time === 1603 ? 1612 : time));
  times.splice(times.indexOf(1403), 0, 1390);
  const { errors, ...slots } = seenSlots(times, 100, span);
  assert.deepEqual(slots, { due: 11, missed: 1, doubled: 1 });
  assert.deepEqual(
    errors.filter((error) => error > 0),
    [13, 9],
  );
});

test("a device that nobody polls has missed all its slots", () => {
  assert.deepEqual(seenSlots([], 100, span), { due: 11, missed: 11, doubled: 0, errors: [] });
});

function reading(seq: number, p0?: number): Message {
  const values = p0 === undefined ? {} : { p0 };
  const payload = JSON.stringify({ gateway: "g0000", epoch: 7, seq, values });
  return { at: 5000 + seq, topic: "polling/readings/g0000/unit", payload };
}

test("answers that nobody heard of or heard of twice are counted", () => {
  const requests = [1, 2, 3, 4].map((serial) => {
    return { device: 0, serial, at: 1000 + serial, answered: serial !== 4 };
  });
  const messages = [reading(1, 1), reading(2, 2), reading(2, 2), reading(4)];
  const delivery = deliveryOf(matched(requests, messages), messages, span, 3990);
  assert.deepEqual(delivery, { messages: 4, lost: 1, twice: 1, bad: 1, endToEnd: [10, 10] });
});

test("the account finds numbers that nobody told of and those told twice", () => {
  const gap = { gateway: "g0000", epoch: 7, from: 3, to: 4 };
  const messages = [
    ...[reading(1, 1), reading(2, 2), reading(2, 2), reading(6, 6)],
    { at: 5000, topic: "polling/gaps/g0000", payload: JSON.stringify(gap) },
  ];
  assert.deepEqual(accountOf(messages), { readings: 4, inGaps: 2, unaccounted: 1, twice: 1 });
});

test("quantiles are values that were there", () => {
  const values = Array.from({ length: 1000 }, (_, n) => 1000 - n);
  assert.deepEqual(quantilesOf(values), [10, 100, 250, 500, 750, 900, 950, 990, 999, 1000]);
  assert.deepEqual(quantilesOf([]), []);
});
