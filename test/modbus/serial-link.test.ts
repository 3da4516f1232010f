import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createClock } from "../../src/system/clock.ts";
import { startLineSlave, type LineFault } from "../support/line-slave.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { openLine, openLiveLine } from "./line-rig.ts";
import { failureOf, holding, MAX_BACKOFF, TIMEOUT, wordsOf } from "./rig.ts";

/** ms of silence in doubt, and a time-out that is never reached. */
const QUIET = 50;
const LONG = 30_000;

/** Units on a line, and a link to them. */
async function line(t: TestContext) {
  const slave = await startLineSlave(t);
  return { slave, ...openLine(t, slave.path) };
}

test("reads all four tables over a serial line", async (t) => {
  const { link, slave } = await line(t);
  const read = async (table: "coil" | "discrete" | "holding" | "input", address: number) =>
    wordsOf(await link.read({ unitId: 9, table, address, count: 10 }, TIMEOUT));
  assert.deepEqual(await read("coil", 3), [1, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
  assert.deepEqual(await read("discrete", 3), [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
  assert.deepEqual(await read("holding", 100), [100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
  assert.deepEqual((await read("input", 65_526)).at(-1), 65_535);
  assert.equal(wordsOf(await link.read(holding(2, 125), TIMEOUT)).at(-1), 126);
  assert.deepEqual(
    slave.requests().map(({ unit, fc, address, count }) => [unit, fc, address, count]),
    [
      [9, 1, 3, 10],
      [9, 2, 3, 10],
      [9, 3, 100, 10],
      [9, 4, 65_526, 10],
      [1, 3, 2, 125],
    ],
  );
});

const PASSED: LineFault[] = [
  { kind: "echo" },
  { kind: "echo-first" },
  { kind: "split" },
  { kind: "noise-after" },
  { kind: "duplicate" },
];
for (const fault of PASSED) {
  test(`under ${fault.kind} an answer is what it is, the one after it too`, async (t) => {
    const { link, slave } = await line(t);
    await slave.fault(fault);
    for (const address of [50, 60, 70]) {
      const words = wordsOf(await link.read(holding(address, 2), TIMEOUT));
      assert.deepEqual(words, [address, address + 1]);
    }
    // As long as the echo, and with the byte count where the echo has its address.
    assert.deepEqual(wordsOf(await link.read(holding(0x02_ff), TIMEOUT)), [0x02_ff]);
  });
}

const WRONG: [LineFault, RegExp][] = [
  [{ kind: "wrong-unit" }, /^unit id 2 instead of 1$/],
  [{ kind: "wrong-function" }, /^function 4 instead of 3$/],
  [{ kind: "wrong-bytecount" }, /^byte count 2 instead of 4$/],
  [{ kind: "bad-crc" }, /^checksum \d+ instead of \d+$/],
  [{ kind: "noise-before" }, /^unit id 0 instead of 1$/],
  [{ kind: "noise-inside" }, /^checksum \d+ instead of \d+$/],
  [{ kind: "master" }, /^unit id 9 instead of 1$/],
];
for (const [fault, detail] of WRONG) {
  test(`under ${fault.kind} the read fails, and is right when it is repeated`, async (t) => {
    const slave = await startLineSlave(t);
    const link = openLiveLine(t, slave.path, QUIET);
    await slave.fault(fault);
    const failed = await link.read(holding(50, 2), LONG);
    assert.equal(failureOf(failed).reason, "bad_frame");
    assert.match(failureOf(failed).detail, detail);
    await slave.fault({ kind: "normal" });
    const next = await link.read(holding(50, 2), LONG);
    assert.deepEqual(wordsOf(next), [50, 51]);
    const silence = (next.sentAt ?? 0) - (failed.sentAt ?? 0);
    assert.ok(silence >= QUIET, `silent for ${String(silence)} ms`);
    assert.deepEqual(wordsOf(await link.read(holding(60, 2), LONG)), [60, 61]);
  });
}

test("no answer that is late by two and a half time-outs is another request's", async (t) => {
  const slave = await startLineSlave(t);
  const link = openLiveLine(t, slave.path, 2 * QUIET);
  await slave.fault({ kind: "delay", ms: 2.5 * QUIET });
  for (const address of [10, 20, 10, 30]) {
    const first = await link.read(holding(address), QUIET);
    const last = first.ok ? first : await link.read(holding(address), QUIET);
    if (last.ok) assert.deepEqual(wordsOf(last), [address]);
  }
});

test("a line that somebody may have used a moment ago is listened to before the first request", async (t) => {
  const slave = await startLineSlave(t);
  const link = openLiveLine(t, slave.path, 4 * QUIET, false);
  const began = createClock().elapsed();
  const reading = link.read(holding(6), LONG);
  // What another process has asked for.
  await slave.send("0103020007f986");
  const first = await reading;
  assert.deepEqual(wordsOf(first), [6]);
  const silence = (first.sentAt ?? 0) - began;
  assert.ok(silence >= 4 * QUIET, `silent for ${String(silence)} ms`);
  const next = await link.read(holding(7), LONG);
  assert.deepEqual(wordsOf(next), [7]);
});

test("an exception is reported with its code, and the line goes on at once", async (t) => {
  const { link, slave } = await line(t);
  for (const code of [1, 2, 6, 11]) {
    await slave.fault({ kind: "exception", code });
    const answer = await link.read(holding(5), TIMEOUT);
    assert.ok(!answer.ok && answer.reason === "exception");
    assert.equal(answer.exception, code);
  }
  await slave.fault({ kind: "normal" });
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
});

test("bytes that come between two requests are nobody's", async (t) => {
  const { link, slave } = await line(t);
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
  // The answer that the next request would get, but for its value.
  await slave.send("0103020007f986");
  assert.deepEqual(wordsOf(await link.read(holding(6), TIMEOUT)), [6]);
});

test("an unplugged line is found again under its name, as another device", async (t) => {
  const slave = await startLineSlave(t);
  const link = openLiveLine(t, slave.path, QUIET);
  assert.deepEqual(wordsOf(await link.read(holding(5), LONG)), [5]);
  await slave.fault({ kind: "silent" });
  const reading = link.read(holding(6), LONG);
  await slave.received(2);
  await slave.unplug();
  const lost = failureOf(await reading);
  assert.equal(lost.reason, "timeout");
  assert.match(lost.detail, /^the serial line went away before the device answered \(/);
  const gone = failureOf(await link.read(holding(6), LONG));
  assert.equal(gone.reason, "connect_failed");
  assert.match(gone.detail, /ttyLINE is not there: .* Next: ls -l \/dev\/serial\/by-id$/);
  await slave.fault({ kind: "normal" });
  await slave.plug();
  assert.deepEqual(wordsOf(await link.read(holding(6), LONG)), [6]);
});

test("a line that another program has is named, and so is what is no line", async (t) => {
  const slave = await startLineSlave(t);
  const other = openLine(t, slave.path);
  assert.deepEqual(wordsOf(await other.link.read(holding(5), TIMEOUT)), [5]);
  const { link, clock } = openLine(t, slave.path);
  const taken = failureOf(await link.read(holding(5), TIMEOUT));
  assert.equal(taken.reason, "connect_failed");
  assert.match(taken.detail, /ttyLINE is in use by another program\. Next: fuser -v /);
  await other.link.close();
  await clock.advance(MAX_BACKOFF);
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
  const file = join(createTempDir(t), "ttyFILE");
  writeFileSync(file, "");
  const wrong = openLine(t, file).link;
  assert.match(
    failureOf(await wrong.read(holding(5), TIMEOUT)).detail,
    /ttyFILE is no serial line$/,
  );
});
