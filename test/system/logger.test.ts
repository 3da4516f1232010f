import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "../../src/core/errors.ts";
import { createLog, plainLine } from "../../src/system/logger.ts";

function capture(level: Parameters<typeof createLog>[0] = "debug"): {
  log: ReturnType<typeof createLog>;
  lines: string[];
} {
  const lines: string[] = [];
  return { log: createLog(level, { write: (line) => lines.push(line) }), lines };
}

const parsed = (line = ""): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

void test("a line of the log is a JSON object with level, time, fields and text", () => {
  const { log, lines } = capture();
  log.info({ gateway: "boiler-room", seq: 7 }, "polled");
  const { time, ...rest } = parsed(lines[0]);
  assert.deepEqual(rest, { level: "info", gateway: "boiler-room", seq: 7, msg: "polled" });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.match(lines[0] ?? "", /^[^\n]*\n$/);
});

void test("what is below the level is not written", () => {
  const { log, lines } = capture("warn");
  log.debug({}, "a");
  log.info({}, "b");
  log.warn({}, "c");
  log.error({}, "d");
  assert.deepEqual(
    lines.map((line) => parsed(line)["msg"]),
    ["c", "d"],
  );
});

void test("foreign text can neither move the cursor nor begin a line, in both forms", () => {
  const foreign = "a\u001b[2J\nb\u009bc\u202ed";
  const { log, lines } = capture();
  log.warn({ topic: foreign }, foreign);
  assert.equal(parsed(lines[0])["msg"], foreign);
  for (const line of [lines[0] ?? "", plainLine(lines[0] ?? "")]) {
    assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\u202e]/u);
  }
});

void test("a person reads time, level, text and fields", () => {
  const line = JSON.stringify({
    level: "warn",
    time: new Date(2026, 0, 2, 3, 4, 5).toISOString(),
    gateway: "g",
    reason: "two words",
    n: 3,
    list: [1],
    msg: "no answer",
  });
  assert.equal(
    plainLine(line),
    '03:04:05 warn  no answer gateway=g reason="two words" n=3 list=[1]\n',
  );
});

void test("an error of edgepoll is logged in words, a bug with its place", () => {
  const { log, lines } = capture();
  log.error({ error: new StoreError("STORE_FAILED", "disk full") }, "x");
  log.error({ error: new TypeError("bug") }, "x");
  assert.equal(parsed(lines[0])["error"], "STORE_FAILED: disk full");
  assert.match(String(parsed(lines[1])["error"]), /TypeError: bug\n.*logger\.test/);
});

void test("fields that can't be written as JSON do not throw", () => {
  const { log, lines } = capture();
  const loop: Record<string, unknown> = { big: 1n };
  loop["self"] = loop;
  log.info({ loop }, "x");
  assert.equal(lines.length, 1);
});
