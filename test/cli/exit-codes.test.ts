import assert from "node:assert/strict";
import test from "node:test";
import { exitCodeOf } from "../../src/cli/exit-codes.ts";
import { failureJson, failureText } from "../../src/cli/failure.ts";
import { Refused } from "../../src/core/command.ts";
import { dataOf } from "../../src/cli/reply.ts";
import {
  ConfigError,
  EdgepollError,
  LockedError,
  NoNodeError,
  PermissionError,
  StateDirectoryError,
  StoreError,
  UnavailableError,
  UsageError,
} from "../../src/core/errors.ts";

/** Every subclass with the exit code that its docstring names. */
const CODES: readonly (readonly [Error, number])[] = [
  [new UsageError("USAGE", ""), 64],
  [new ConfigError("CONFIG_INVALID", ""), 78],
  [new ConfigError("CONFIG_MISSING", ""), 78],
  [new LockedError("ALREADY_RUNNING", ""), 75],
  [new LockedError("ENDPOINT_HELD", ""), 75],
  [new UnavailableError("PORT_TAKEN", ""), 69],
  [new UnavailableError("NODE_UNRESPONSIVE", ""), 69],
  [new UnavailableError("MODEL_UNKNOWN", ""), 69],
  [new NoNodeError("NODE_ABSENT", ""), 3],
  [new PermissionError("PERMISSION", ""), 77],
  [new StateDirectoryError("STATE_DIRECTORY", ""), 73],
  [new StoreError("STORE_FAILED", ""), 74],
  [new StoreError("STORE_DAMAGED", ""), 73],
  [new StoreError("STORE_VERSION", ""), 73],
  [new Refused("gateway_unknown", ""), 65],
  [new Refused("store_failed", ""), 74],
  [new Refused("internal", ""), 70],
  [new TypeError(""), 70],
];

for (const [error, code] of CODES) {
  const name = "code" in error ? `${error.name} ${String(error.code)}` : error.name;
  test(`${name} ends with ${String(code)}`, () => {
    assert.equal(exitCodeOf(error), code);
  });
}

test("an error that crossed the control socket has the exit code of its class", () => {
  assert.equal(exitCodeOf(new EdgepollError("NODE_ABSENT", "")), 3);
});

test("a refusal of the node is thrown with its code, data comes through", () => {
  assert.deepEqual(dataOf({ node: "n", status: "ok", data: { gateways: [] } }), { gateways: [] });
  const error = { code: "gateway_unknown", message: "there is no gateway x" };
  assert.throws(() => dataOf({ node: "n", status: "error", error }), Refused);
});

test("a mistake of the user is one line, without a stack even when debugging", () => {
  const error = new UnavailableError("PORT_TAKEN", "the port \u001b[31m is taken");
  assert.equal(failureText(error, true), "edgepoll: the port \\u001b[31m is taken (PORT_TAKEN)");
});

test("the mistakes of a configuration keep their lines", () => {
  const error = new ConfigError("CONFIG_INVALID", "a.yaml:1:1  odd\n  1 | x\n1 mistake");
  assert.equal(failureText(error, false), error.message);
});

test("a bug is one line that says how to report it, and the stack only when debugging", () => {
  const bug = new TypeError("x is not\na function");
  assert.match(
    failureText(bug, false),
    /^edgepoll: a bug: x is not\\u000aa function\. Please report/,
  );
  assert.doesNotMatch(failureText(bug, false), /\n/);
  assert.match(failureText(bug, true), /\n\s+at .*exit-codes\.test/);
});

test("a message names commands in the words this process was called by", () => {
  const called = ["node bin/edgepoll.js", "status", "--state-dir", "/x"];
  const held = new LockedError("ALREADY_RUNNING", "edgepoll status shows it");
  assert.equal(
    failureText(held, false, called),
    "edgepoll: node bin/edgepoll.js status --state-dir /x shows it (ALREADY_RUNNING)",
  );
  const damaged = new StoreError(
    "STORE_DAMAGED",
    "Or edgepoll start --repair; edgepoll check says",
  );
  assert.equal(
    failureText(damaged, false, ["edgepoll", "events", "--config=a.yaml", "--state-dir", "'b c'"]),
    "edgepoll: Or edgepoll start --config=a.yaml --state-dir 'b c' --repair; edgepoll check says (STORE_DAMAGED)",
  );
  const told = new LockedError("ALREADY_RUNNING", "edgepoll status --state-dir /y shows it");
  assert.match(failureText(told, false, called), /edgepoll\.js status --state-dir \/y shows it/);
  const linked = new LockedError("ALREADY_RUNNING", "Next: node edgepoll status");
  const word = failureText(linked, false, ["node edgepoll", "status"]);
  assert.equal(word, "edgepoll: Next: node edgepoll status (ALREADY_RUNNING)");
  const other = new PermissionError("PERMISSION", "Ask with: sudo edgepoll …");
  assert.match(
    failureText(other, false, called),
    /sudo node bin\/edgepoll\.js status --state-dir \/x/,
  );
});

test("for a program a failure is the error of a reply: code and message, whatever it is", () => {
  const said = (error: unknown) => JSON.parse(failureJson(error, false, ["edgepoll"])) as unknown;
  for (const known of [
    new UnavailableError("NO_ANSWER", "silent"),
    new ConfigError("CONFIG_INVALID", "a.yaml:1:1  odd\n  1 | x\n1 mistake"),
    new Refused("gateway_unknown", "there is no gateway x"),
  ]) {
    assert.deepEqual(said(known), { error: { code: known.code, message: known.message } });
  }
  const held = new LockedError("ALREADY_RUNNING", "edgepoll status shows it");
  assert.match(
    failureJson(held, false, ["node bin/edgepoll.js"]),
    /"node bin\/edgepoll\.js status/,
  );
  assert.match(JSON.stringify(said(new TypeError("x"))), /"code":"INTERNAL","message":"a bug: x/);
});
