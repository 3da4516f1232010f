/** A unit that is slower than anybody said: whatever it does, no answer is taken for that of other registers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectingLink } from "../../src/modbus/connecting-link.ts";
import { lineLink } from "../../src/modbus/serial-link.ts";
import type { Dial } from "../../src/modbus/wire.ts";
import { seededRandom } from "../e2e/site.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { SEED } from "../support/seed.ts";
import { serialAt } from "./line-rig.ts";
import { failureOf, holding, MAX_BACKOFF, wordsOf } from "./rig.ts";

const TIMEOUT = 100;
/** Twice the time-out, as nobody said anything. */
const MAX_ANSWER = 200;

const RUNS = Number(process.env["EDGEPOLL_RUNS"] ?? 40);

/** What a unit does with its n-th request (from 0): ms until it answers, undefined: never. */
type Manner = (request: number) => number | undefined;

/** Units, and a link to them. */
interface SlowLine {
  readonly clock: FakeClock;
  readonly link: ConnectingLink;
  readonly requests: () => number;
  /** Answers the n-th request (from 0) now. */
  readonly answer: (request: number) => void;
}

/** Units that answer in order, each register holding its own address, on a line left silent by whoever came before. */
function slowLine(manner: Manner, isSilent = true, baud = 19_200): SlowLine {
  const clock = createFakeClock();
  const asked: Buffer[] = [];
  let free = 0;
  let hear: (bytes: Uint8Array) => void = () => undefined;
  const dial: Dial = (events) => {
    hear = (bytes) => void events.received(bytes);
    setImmediate(events.opened);
    let drop: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (drop = resolve));
    return {
      ...{ gone: "gone", closed, drop },
      send: (frame) => {
        const wait = manner(asked.push(Buffer.from(frame)) - 1);
        if (wait === undefined) return;
        const answer = answerTo(frame);
        free = Math.max(free + 1, clock.elapsed() + wait);
        clock.timer(Math.round(free - clock.elapsed()), () => {
          events.received(answer);
        });
      },
      clear: () => Promise.resolve(),
      release: drop,
    };
  };
  const link = lineLink(
    {
      connection: { ...serialAt("/dev/ttyLINE"), baud },
      ...{ clock, maxAnswerTime: undefined, isSilent },
      waitUntil: (at) =>
        new Promise((resolve) => clock.timer(Math.ceil(at - clock.elapsed()), resolve)),
      ...{ maxBackoff: MAX_BACKOFF, random: () => 0 },
    },
    dial,
  );
  const answer = (request: number): void => {
    hear(answerTo(asked[request] ?? assert.fail("not asked")));
  };
  return { clock, link, answer, requests: () => asked.length };
}

/** The answer to a read of registers, from the specifications (Modbus over Serial Line 2.5.1). */
function answerTo(request: Buffer): Buffer {
  const count = request.readUInt16BE(4);
  const frame = Buffer.alloc(3 + 2 * count + 2);
  frame.set([request.readUInt8(0), request.readUInt8(1), 2 * count]);
  for (let n = 0; n < count; n += 1) frame.writeUInt16BE(request.readUInt16BE(2) + n, 3 + 2 * n);
  let sum = 0xffff;
  for (const byte of frame.subarray(0, -2)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >> 1) ^ (sum & 1 ? 0xa001 : 0);
  }
  frame.writeUInt16LE(sum, frame.length - 2);
  return frame;
}

/** Polls of five registers, one a request, `retries` more attempts each; how many were right and wrong. */
async function pollAll(manner: Manner, retries: number, polls = 6) {
  const { clock, link, requests } = slowLine(manner);
  const seen = { good: 0, wrong: 0, failed: 0, ms: 0 };
  const began = clock.elapsed();
  const run = async (): Promise<void> => {
    for (let poll = 0; poll < polls; poll += 1) {
      for (let address = 10; address < 15; address += 1) {
        let left = retries;
        let answer = await link.read(holding(address), TIMEOUT);
        while (!answer.ok && left-- > 0) answer = await link.read(holding(address), TIMEOUT);
        if (!answer.ok) seen.failed += 1;
        else if (answer.words[0] === address) seen.good += 1;
        else seen.wrong += 1;
      }
    }
  };
  const state = { isOver: false };
  const running = run().finally(() => (state.isOver = true));
  while (!state.isOver) await clock.advance(10);
  await running;
  seen.ms = clock.elapsed() - began;
  await clock.advance(20_000);
  await link.close();
  return { ...seen, requests: requests() };
}

for (const retries of [0, 1, 2, 3]) {
  test(`no value is another request's, however late they come, with ${String(retries)} retries`, async () => {
    for (let late = 10; late <= 10 * MAX_ANSWER; late += 110) {
      for (const slow of [
        (n: number) => n === 6,
        (n: number) => n >= 6,
        (n: number) => n % 3 === 1,
      ]) {
        const seen = await pollAll((n) => (slow(n) ? late : 10), retries, 3);
        assert.equal(seen.wrong, 0, `${String(late)} ms late: ${JSON.stringify(seen)}`);
      }
    }
  });
}

test("no value is another request's when answers take up to twice the longest, each another time", async () => {
  const random = seededRandom(SEED);
  for (let run = 0; run < RUNS; run += 1) {
    const [least, span, retries] = [80 * random(), 310 * random(), Math.floor(4 * random())];
    // Five slow answers, then two prompt ones, as a unit that is busy now and then.
    const manner = (n: number) => (n % 7 < 5 ? least + span * random() : 10);
    const seen = await pollAll(manner, retries, 8);
    assert.equal(
      seen.wrong,
      0,
      `run ${String(run)}, ${String(least)} to ${String(least + span)} ms: ${JSON.stringify(seen)}`,
    );
  }
});

test("an answer that is lost costs a retry and a silence, and where there is no retry the next request", async () => {
  const seen = await pollAll((n) => (n % 7 === 3 ? undefined : 10), 1);
  assert.deepEqual([seen.good, seen.wrong, seen.failed], [30, 0, 0], JSON.stringify(seen));
  assert.equal(seen.requests, 35, "the four that were lost, and the fifth, were sent twice");
  // Sent once, the next one's answer might be the lost one's: it is refused, and all is well again.
  const once = await pollAll((n) => (n % 7 === 3 ? undefined : 10), 0);
  assert.deepEqual([once.good, once.wrong, once.failed], [22, 0, 8], JSON.stringify(once));
});

const never: Manner = () => undefined;
const promptly: Manner = () => 10;

test("the time-out begins when the request has left, however slow the line is", async () => {
  // 109 characters of 11 bits take a second, eight of them 73 ms.
  const { clock, link, answer } = slowLine(never, true, 1200);
  const words = new Uint16Array(50);
  const write = { unitId: 1, table: "holding", address: 0, words, asSeveral: true } as const;
  const state = { isOver: false };
  const writing = link.write(write, TIMEOUT).finally(() => (state.isOver = true));
  await clock.advance(1000 + TIMEOUT - 10);
  assert.equal(state.isOver, false);
  await clock.advance(2 * TIMEOUT);
  const { sentAt, endedAt } = await writing;
  assert.equal(endedAt - (sentAt ?? 0), 1000 + TIMEOUT, "and the silence after it likewise");
  const reading = link.read(holding(11), TIMEOUT);
  await clock.advance(160);
  answer(1);
  assert.deepEqual(wordsOf(await reading), [11]);
});

test("a late answer falls into the silence, and the line goes on when that is over", async () => {
  const { clock, link, answer } = slowLine((n) => (n === 0 ? undefined : 10));
  const first = link.read(holding(11), TIMEOUT);
  await clock.advance(TIMEOUT + 10);
  assert.equal(
    failureOf(await link.read(holding(22), TIMEOUT)).detail,
    "another request is in flight",
  );
  answer(0);
  await clock.advance(TIMEOUT);
  const failure = await first;
  assert.ok(!failure.ok && failure.late);
  const detail = "no answer within 100 ms, but one after 107 ms";
  assert.deepEqual(failureOf(failure), { reason: "timeout", detail });
  assert.equal(failure.endedAt - (failure.sentAt ?? 0), TIMEOUT + 5, "8 characters take 4.6 ms");
  // It came, so that nothing is owed any more.
  const next = link.read(holding(22), TIMEOUT);
  await clock.advance(20);
  assert.deepEqual(wordsOf(await next), [22]);
  const unanswered = slowLine(never);
  const silent = unanswered.link.read(holding(33), TIMEOUT);
  await unanswered.clock.advance(3 * TIMEOUT);
  const { detail: plain } = failureOf(await silent);
  assert.equal(plain, "no answer within 100 ms", "nothing came");
});

test("a late answer that meets the repeated request is older, and the repeat's own answer meets nobody", async () => {
  const { clock, link, answer } = slowLine((n) => (n < 2 ? undefined : 10));
  const first = link.read(holding(11), TIMEOUT);
  await clock.advance(2 * TIMEOUT + 10);
  assert.equal(failureOf(await first).reason, "timeout");
  const again = link.read(holding(11), TIMEOUT);
  await clock.advance(50);
  answer(0);
  await clock.advance(150);
  assert.equal(failureOf(await link.read(holding(22), TIMEOUT)).reason, "connect_failed");
  answer(1);
  assert.deepEqual(wordsOf(await again), [11]);
  const next = link.read(holding(22), TIMEOUT);
  await clock.advance(20);
  assert.deepEqual(wordsOf(await next), [22]);
});

test("what a close ends while the line is kept is what it was, and the line is not left silent", async () => {
  const { clock, link, answer } = slowLine(never);
  const first = link.read(holding(11), TIMEOUT);
  await clock.advance(2 * TIMEOUT + 10);
  await first;
  const again = link.read(holding(11), TIMEOUT);
  await clock.advance(50);
  answer(0);
  const closing = link.close();
  assert.deepEqual(wordsOf(await again), [11]);
  await closing;
  assert.equal(link.isSilent, false);
  await clock.advance(2 * MAX_ANSWER);
  assert.equal(link.isSilent, true);
});

test("a line that somebody may have used a moment ago is listened to before the first request", async () => {
  const { clock, link, requests } = slowLine(promptly, false);
  const first = link.read(holding(11), TIMEOUT);
  await clock.advance(MAX_ANSWER - 1);
  assert.deepEqual([requests(), link.isSilent], [0, false]);
  await clock.advance(20);
  assert.deepEqual(wordsOf(await first), [11]);
  assert.equal(link.isSilent, true);
  // Later than that nobody's answer can come, and nothing waits.
  const later = slowLine(promptly, false);
  await later.clock.advance(MAX_ANSWER);
  const reading = later.link.read(holding(11), TIMEOUT);
  await later.clock.advance(15);
  assert.deepEqual(wordsOf(await reading), [11]);
});
