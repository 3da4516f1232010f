import assert from "node:assert/strict";
import test from "node:test";
import { columns } from "../../src/cli/columns.ts";
import { count, percent } from "../../src/cli/counts.ts";
import { duration, interval } from "../../src/cli/durations.ts";
import { moreText } from "../../src/cli/events.ts";
import { eventLine } from "../../src/cli/event-line.ts";
import { localTime } from "../../src/cli/local-time.ts";
import { paintFor, plain } from "../../src/cli/paint.ts";
import { callerOf } from "../../src/cli/caller.ts";
import { EVENT_KINDS } from "../../src/core/payloads.ts";
import { shellWord } from "../../src/core/shell.ts";
import { mbpollLine, readLine } from "../../src/cli/simulate-lines.ts";

test("cells of a column begin in the same place, whatever their colour", () => {
  const rows = [
    ["a", "\u001b[32mrunning\u001b[39m", "x"],
    ["bcd", "off", "y"],
  ];
  assert.deepEqual(columns(rows), ["a    \u001b[32mrunning\u001b[39m  x", "bcd  off      y"]);
});

test("short rows have no blanks at their end", () => {
  assert.deepEqual(columns([["a"], ["bcd", "e"], ["b", ""]]), ["a", "bcd  e", "b"]);
});

test("durations are told in at most two units", () => {
  const told = [0, 440, 9990, 41_000, 60_000, 11_520_000, 86_400_000, 90_000_000, -5];
  assert.deepEqual(told.map(duration), [
    ...["0s", "0.4s", "9.9s", "41s", "1m", "3h12m", "1d", "1d1h", "0s"],
  ]);
});

test("intervals are told exactly", () => {
  const told = [250, 1000, 90_000, 60_000, 3_600_000, 1500];
  assert.deepEqual(told.map(interval), ["250ms", "1s", "90s", "1m", "1h", "1500ms"]);
});

test("a share says 100 only when nothing is missing", () => {
  assert.equal(percent(99_999, 100_000), "99.99 %");
  assert.equal(percent(7, 7), "100.00 %");
  assert.deepEqual([count(1, "slot"), count(0, "slot")], ["1 slot", "0 slots"]);
});

test("times are those of this machine", () => {
  assert.equal(localTime(new Date(2026, 0, 31, 4, 5, 6).getTime()), "2026-01-31 04:05:06");
});

test("an event is one line in which foreign text does nothing", () => {
  const at = new Date(2026, 0, 31, 4, 5, 6).getTime();
  const place = { node: "n", gateway: "g", device: "d" };
  const event = { ...place, at, kind: "device-offline" as const, by: null };
  assert.equal(
    eventLine({ ...event, text: "no\nanswer \u001b[2J" }, plain),
    "2026-01-31 04:05:06  device-offline        g/d               no\\u000aanswer \\u001b[2J",
  );
});

test("lines of the audit trail stand in columns, whatever their kind", () => {
  const event = { node: "n", at: 0, by: null, text: "text" };
  const lines = EVENT_KINDS.map((kind) => eventLine({ ...event, kind }, plain));
  assert.equal(new Set(lines.map((line) => line.indexOf("text"))).size, 1);
});

test("there is colour on a terminal only, unless the environment decides", () => {
  const green = "\u001b[32mx\u001b[39m";
  const paint = (isTTY: boolean, env: Record<string, string>) =>
    paintFor({ isTTY }, env)("green", "x");
  assert.equal(paint(true, {}), green);
  assert.equal(paint(false, {}), "x");
  assert.equal(paint(true, { NO_COLOR: "1" }), "x");
  assert.equal(paint(true, { NO_COLOR: "" }), green);
  assert.equal(paint(false, { FORCE_COLOR: "1" }), green);
  assert.equal(paint(true, { FORCE_COLOR: "0" }), "x");
});

test("lines to paste call edgepoll as it was called", () => {
  const call = { nodeOptions: [], cwd: "/home/me/edgepoll", searchPath: "/usr/bin:/opt/bin" };
  const of = (script: string, more: object = {}) => callerOf({ ...call, script, ...more });
  assert.equal(of("/opt/bin/edgepoll"), "edgepoll");
  assert.equal(of("/home/me/edgepoll/bin/edgepoll.js"), "node bin/edgepoll.js");
  assert.equal(
    of("/home/me/edgepoll/bin/edgepoll.js", { cwd: "/" }),
    `node ${call.cwd}/bin/edgepoll.js`,
  );
  assert.equal(of("/srv/x y/edgepoll.js"), "node '/srv/x y/edgepoll.js'");
  assert.equal(of("/elsewhere/edgepoll"), "node /elsewhere/edgepoll");
  assert.equal(of("/home/me/site/node_modules/.bin/edgepoll"), "npx edgepoll");
  const nodeOptions = ["--import", "tsx"];
  assert.equal(of("/home/me/edgepoll/m.ts", { nodeOptions }), "node --import tsx m.ts");
});

test("words reach a shell as they are", () => {
  assert.deepEqual(["a/b.c", "", "a b", "it's", "$x"].map(shellWord), [
    ...["a/b.c", "''", "'a b'", "'it'\\''s'", "'$x'"],
  ]);
});

test("mbpoll is told host and port, also of IPv6, and how a line is spoken", () => {
  const first = { table: "input", address: 0, type: "float32", order: "ABCD" } as const;
  assert.match(
    mbpollLine("tcp://127.0.0.1:5020", 1, first),
    /^mbpoll -m tcp -p 5020 -a 1 -t 3:float -B -r 1 .* -1 127\.0\.0\.1$/,
  );
  assert.match(mbpollLine("tcp://[::1]:80", 1, first), / -p 80 .* ::1$/);
  const line = "serial:///dev/ttyUSB0?baud=9600&parity=none&stop=2";
  assert.match(
    mbpollLine(line, 7, { ...first, table: "holding", type: "uint16" }),
    /^mbpoll -m rtu -b 9600 -P none -s 2 -a 7 -t 4 -r 1 -c 1 -1 \/OTHER-END$/,
  );
  assert.equal(
    readLine(line, 7, first, "edgepoll"),
    "edgepoll read 'serial:///OTHER-END?baud=9600&parity=none&stop=2/7' 300001 --type float32",
  );
});

test("a trail that is cut says so, with the line that shows more", () => {
  const query = { since: 0, limit: 20, gateway: "hall" };
  assert.equal(
    moreText(query, 26 * 3_600_000, "edgepoll events", " --state-dir s"),
    "these are the last 20, and there are more: edgepoll events --since 7d --gateway hall --state-dir s",
  );
  assert.match(moreText({ since: 0, limit: 20 }, 1000, "x", ""), /: x --since 1d$/);
  assert.match(moreText({ since: 5, limit: 10_000 }, 1000, "x", ""), /and there are more$/);
});
