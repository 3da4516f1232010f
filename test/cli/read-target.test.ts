/** A target of `read` or `write` that names no unit: the line that is right, with all that was given. */
import assert from "node:assert/strict";
import test from "node:test";
import { write } from "../../src/cli/write.ts";
import { read } from "../../src/cli/read.ts";
import { isConnection, unitOf } from "../../src/cli/registers.ts";
import { sameLine } from "../../src/cli/same-line.ts";
import { createPlace } from "./program.ts";

/** What is said of a target. */
function refusal(target: string): string {
  try {
    unitOf(target, "an example", (right) => right);
  } catch (error) {
    return String(error);
  }
  return "none";
}

test("a connection without a unit gets one at its end, also where it stood before the settings", () => {
  const cases: [string, string][] = [
    ["serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0/1"],
    ["serial:///dev/ttyUSB0?baud=9600", "serial:///dev/ttyUSB0?baud=9600/1"],
    ["serial:///dev/ttyUSB0/7?baud=9600", "serial:///dev/ttyUSB0?baud=9600/7"],
    ["serial:///dev/pts/7?baud=9600", "serial:///dev/pts/7?baud=9600/1"],
    ["tcp://10.0.0.5", "tcp://10.0.0.5/1"],
    ["rtu+tcp://10.0.0.5:5020/", "rtu+tcp://10.0.0.5:5020/1"],
  ];
  for (const [target, right] of cases) {
    assert.match(refusal(target), /does not say which unit: its id stands last/);
    assert.ok(refusal(target).endsWith(`. Next: ${right}`), refusal(target));
  }
  assert.match(refusal("tcp://10.0.0.5:99999"), /is not CONNECTION\/UNIT .* Next: an example$/);
  assert.match(refusal("tcp://10.0.0.5/256"), /is not CONNECTION\/UNIT .* Next: an example$/);
});

test("the line put right has all else that was given", () => {
  const values = new Map([["type", ["float32"]]]);
  const given = { argument: "x", more: ["40001", "-2.5"], flags: new Set(["json"]), values };
  const line = sameLine(["edgepoll", "write"], given, "serial:///dev/ttyX?baud=9600/1");
  const right = "edgepoll write 'serial:///dev/ttyX?baud=9600/1' 40001 -2.5 --type float32 --json";
  assert.equal(line, right);
});

test("read says so, and its help has a line of each kind", async (t) => {
  const { run } = await createPlace(t);
  const [bare, help] = await Promise.all([
    run("read", "serial:///dev/ttyUSB0", "40001", "--type", "float32"),
    run("read", "--help"),
  ]);
  assert.equal(bare.code, 64);
  assert.match(bare.stderr, / read serial:\/\/\/dev\/ttyUSB0\/1 40001 --type float32\n$/);
  assert.match(
    help.stdout,
    /edgepoll read 'serial:\/\/\/dev\/ttyUSB0\?baud=9600&parity=none\/1' 30001/,
  );
  for (const { examples = [] } of [read, write]) {
    assert.ok(examples.some((line) => line.includes("'serial:///dev/ttyUSB0?baud=")));
  }
});

test("a connection without its scheme gets one, in the line that is right", async (t) => {
  const { run } = await createPlace(t);
  const cases: [target: string, right: string][] = [
    ["127.0.0.1:15022/1", "tcp://127.0.0.1:15022/1"],
    ["10.0.0.5/7", "tcp://10.0.0.5/7"],
    ["10.0.0.5", "tcp://10.0.0.5/1"],
    ["meter.local:502/1", "tcp://meter.local:502/1"],
    ["/dev/ttyUSB0/3", "serial:///dev/ttyUSB0/3"],
    ["/dev/ttyUSB0", "serial:///dev/ttyUSB0/1"],
  ];
  const ended = await Promise.all(
    cases.map(([target]) => run("read", target, "40001", "--type", "float32")),
  );
  for (const [n, [target, right]] of cases.entries()) {
    const { code, stderr = "" } = ended[n] ?? {};
    assert.equal(code, 64, stderr);
    assert.ok(stderr.includes(`"${target}" names no protocol: a connection begins with `), stderr);
    assert.ok(stderr.trimEnd().endsWith(` read ${right} 40001 --type float32`), stderr);
  }
  const wrote = await run("write", "10.0.0.5/7", "40001", "1");
  assert.match(wrote.stderr, /names no protocol: .* write tcp:\/\/10\.0\.0\.5\/7 40001 1$/m);
  for (const name of ["hall/meter", "7/1", "hall.meter"]) assert.equal(isConnection(name), false);
});
