/** What is known of a write, by what came of it and of the reads around it. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Answer, WriteRequest } from "../../src/core/ports.ts";
import type { DirectAnswer } from "../../src/engine/direct-answer.ts";
import { carryOut, type Verdict } from "../../src/engine/direct-write.ts";

const times = { sentAt: 1, endedAt: 2 };
const WRITTEN: Answer = { ok: true, words: Uint16Array.of(), ...times };
const LOST: Answer = { ok: false, reason: "timeout", detail: "no answer", ...times };
const UNSENT: Answer = { ...LOST, reason: "connect_failed", sentAt: null };
const silent: DirectAnswer = { ok: false, reason: "timeout", detail: "no answer" };
const refused: DirectAnswer = { ok: false, reason: "exception", exception: 2, detail: "no" };

const exception = (code: number): Answer => ({ ...LOST, reason: "exception", exception: code });
const holds = (...words: number[]): DirectAnswer => ({ ok: true, words, rtt: 1 });

/** Writes 7 to a place; the requests that were sent are noted. */
async function run(before: DirectAnswer, writes: Answer[], after: DirectAnswer, words = [7]) {
  const sent: WriteRequest[] = [];
  const reads = [before, after];
  const written = await carryOut(
    { unitId: 1, table: "holding", address: 5, words },
    {
      read: () => Promise.resolve(reads.shift() ?? silent),
      write: (request) => {
        sent.push(request);
        return Promise.resolve(writes[sent.length - 1] ?? LOST);
      },
    },
  );
  return { written, sent, readsLeft: reads.length };
}

const CASES: [string, DirectAnswer, Answer, DirectAnswer, Verdict][] = [
  ["a silent unit is not written to", silent, WRITTEN, silent, "unasked"],
  ["an answered write that is read back", holds(3), WRITTEN, holds(7), "confirmed"],
  ["a place that can't be read before, but then", refused, WRITTEN, holds(7), "confirmed"],
  [
    "an answered write, of which something else is read back",
    holds(3),
    WRITTEN,
    holds(6),
    "differs",
  ],
  ["an answered write that does nothing", holds(3), WRITTEN, holds(3), "differs"],
  ["a place that can only be written", refused, WRITTEN, refused, "unconfirmed"],
  ["a lost connection before it was sent", holds(3), UNSENT, holds(3), "unsent"],
  ["an exception", holds(3), exception(3), holds(7), "refused"],
  ["a lost answer to a write that was carried out", holds(3), LOST, holds(7), "confirmed"],
  ["a lost answer to a write that was not", holds(3), LOST, holds(3), "unchanged"],
  ["a lost answer, and something else there", holds(3), LOST, holds(4), "unknown"],
  ["a lost answer, and silence since", holds(3), LOST, silent, "unknown"],
  ["a gateway whose unit gave no answer", holds(3), exception(11), holds(3), "unchanged"],
  ["a device that failed while it wrote", holds(3), exception(4), silent, "unknown"],
];
for (const [what, before, answer, after, verdict] of CASES) {
  test(`${what}: ${verdict}`, async () => {
    const { written, sent } = await run(before, [answer], after);
    assert.equal(written.verdict, verdict);
    assert.equal(sent.length, verdict === "unasked" ? 0 : 1, "a write is sent once");
  });
}

test("only a unit that does not know the function for one is asked by that for several", async () => {
  const one = await run(holds(3), [exception(1), WRITTEN], holds(7));
  assert.deepEqual(
    one.sent.map(({ asSeveral }) => asSeveral),
    [false, true],
  );
  assert.deepEqual([one.written.function, one.written.verdict], [16, "confirmed"]);
  const never = await run(holds(3), [exception(1), exception(1)], holds(7));
  assert.deepEqual([never.sent.length, never.written.verdict], [2, "refused"]);
  const several = await run(holds(3, 3), [exception(1)], holds(3, 3), [7, 8]);
  assert.deepEqual([several.sent.length, several.written.verdict], [1, "refused"]);
});

test("what was refused or not sent is not read back", async () => {
  for (const answer of [UNSENT, exception(2)]) {
    assert.equal((await run(holds(3), [answer], holds(7))).readsLeft, 1);
  }
});
