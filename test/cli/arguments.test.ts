import assert from "node:assert/strict";
import test from "node:test";
import { readArguments, type Asked } from "../../src/cli/arguments.ts";
import { queryOf } from "../../src/cli/events.ts";
import { gatewaysOf, sameNode } from "../../src/cli/node-options.ts";
import { COMMANDS } from "../../src/cli/run.ts";
import { UsageError } from "../../src/core/errors.ts";

function read(line: string): Asked {
  return readArguments(line === "" ? [] : line.split(" "), COMMANDS, "edgepoll");
}

function given(line: string) {
  const asked = read(line);
  assert.ok(asked.kind === "run");
  return asked.given;
}

test("ids that look like numbers stay as they were written", () => {
  assert.deepEqual(gatewaysOf(given("stop --gateway 02 --gateway 1"), "edgepoll"), ["02", "1"]);
});

test("gateways may be repeated, listed with commas, and named twice", () => {
  const ids = gatewaysOf(given("stop --gateway a,b --gateway=c --gateway a"), "edgepoll");
  assert.deepEqual(ids, ["a", "b", "c"]);
  assert.equal(gatewaysOf(given("stop"), "edgepoll"), undefined);
});

test("options may stand before and after the command and its argument", () => {
  const asked = read("--json check a.yaml");
  assert.ok(asked.kind === "run");
  assert.equal(asked.command.name, "check");
  assert.equal(asked.given.argument, "a.yaml");
  assert.ok(asked.given.flags.has("json"));
  assert.equal(read("--config a.yaml status").kind, "run");
});

test("what follows two dashes is an argument", () => {
  assert.equal(given("check -- --odd.yaml").argument, "--odd.yaml");
});

test("help and version are found in both forms", () => {
  assert.deepEqual(read("-h"), { kind: "help" });
  assert.deepEqual(read("--version"), { kind: "version" });
  assert.deepEqual(read("-v"), { kind: "version" });
  const help = read("stop --bogus --help");
  assert.ok(help.kind === "help");
  assert.equal(help.command?.name, "stop");
});

test("the options that name the node are given on, fit for a shell", () => {
  const options = given("status --state-dir /a/b --config it's.yaml --json");
  assert.equal(sameNode(options), " --config 'it'\\''s.yaml' --state-dir /a/b");
});

/** Command line, and what its one line of refusal must hold. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["", /A command is missing; there are start, stop, enable, status, .* Next: edgepoll --help$/],
  ["statsu", /no command "statsu"; did you mean status\? Next: edgepoll --help$/],
  ["watch", /no command "watch"\. Next/],
  ["--json", /no option --json without a command/],
  ["stop --gatway a", /no option --gatway; did you mean --gateway\? Next: edgepoll stop --help$/],
  ["stop --stateDir a", /no option --stateDir; did you mean --state-dir\?/],
  ["stop -g a", /no option -g/],
  ["stop --gateway.x a", /no option --gateway\.x/],
  ["stop --no-json", /no option --no-json/],
  ["stop --config", /--config needs a value: --config FILE/],
  ["stop --config --json", /--config needs a value/],
  ["stop --config= a", /--config needs a value/],
  ["stop --gateway a,,b", /empty entry in "a,,b"/],
  ["stop --json=yes", /--json takes no value/],
  ["stop --json --json", /--json is given twice/],
  ["stop --config a --config b", /--config is given twice/],
  ["events --gateway a --gateway b", /--gateway is given twice/],
  ["stop boiler-room", /does not take the argument .* did you mean "stop --gateway boiler-room"\?/],
  [
    "start a.yaml",
    /argument "a\.yaml"; did you mean "start --config a\.yaml"\? Next: edgepoll start/,
  ],
  ["status my$site/a.YML", /did you mean "status --config 'my\$site\/a\.YML'"\?/],
  ["check a b", /does not take the argument "b"/],
  ["st\u001b[2Jop", /no command "st\\u001b\[2Jop"/],
];

for (const [line, expected] of REFUSED) {
  test(`refused in one line: edgepoll ${JSON.stringify(line)}`, () => {
    assert.throws(
      () => read(line),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, expected);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test("what can't be the id of a gateway is refused", () => {
  assert.throws(() => gatewaysOf(given("stop --gateway Boiler"), "edgepoll"), UsageError);
});

test("since is a length before now, a time, or a day of this machine", () => {
  const now = 10_000_000;
  const since = (text: string) => queryOf(given(`events --since ${text}`), "edgepoll", now).since;
  assert.equal(since("1h"), 6_400_000);
  assert.equal(since("5y"), 0);
  assert.equal(since("2026-01-31T14:00:00Z"), Date.UTC(2026, 0, 31, 14));
  assert.equal(since("2026-01-31"), new Date(2026, 0, 31).getTime());
  for (const text of ["7", "yesterday", "2026-13-01"]) {
    assert.throws(() => since(text), UsageError);
  }
  assert.deepEqual(queryOf(given("events --gateway a"), "edgepoll", now), {
    ...{ since: 0, limit: 20, gateway: "a" },
  });
});

test("a negative number is a value, and one that looks like an option is not", () => {
  assert.deepEqual(given("write tcp://a/1 40001 -5 --type int16").more, ["40001", "-5"]);
  assert.deepEqual(given("write tcp://a/1 40001 -.5e3").more, ["40001", "-.5e3"]);
  assert.throws(() => given("write tcp://a/1 40001 -x"), UsageError);
  assert.throws(() => given("write tcp://a/1 40001 1 --type -5"), /--type needs a value/);
});
