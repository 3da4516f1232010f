import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { createPlace } from "./program.ts";

test("with --json a command that fails prints its error as JSON, with the same exit code", async (t) => {
  const { run, node, directory } = await createPlace(t);
  const absent = join(directory, "absent.yaml");
  const cases = [
    [["status", ...node], 3, "NODE_ABSENT"],
    [["stop", "--node", ...node], 3, "NODE_ABSENT"],
    [["start", "--gateway", "hall", ...node], 3, "NODE_ABSENT"],
    [["check", absent], 78, "CONFIG_MISSING"],
    [["config", "explain", "gatewais"], 64, "USAGE"],
    [["read", "tcp://127.0.0.1:1/1", "40001"], 69, "NO_ANSWER"],
    [["events", "--state-dir", absent], 3, "NODE_ABSENT"],
    [["simulate", "nothing"], 64, "USAGE"],
    [["stauts"], 64, "USAGE"],
  ] as const;
  const ended = await Promise.all(cases.map(([args]) => run(...args, "--json")));
  for (const [index, [args, code, name]] of cases.entries()) {
    const { stdout, stderr, ...end } = ended[index] ?? { code: null, stdout: "", stderr: "" };
    assert.equal(end.code, code, args.join(" "));
    const { error }: { error: { code: string; message: string } } = JSON.parse(stdout);
    assert.equal(error.code, name);
    assert.notEqual(error.message, "");
    assert.equal(stderr, "");
  }
});

test("--json behind -- is an argument and asks for nothing", async (t) => {
  const { run } = await createPlace(t);
  const { code, stdout, stderr } = await run("stauts", "--", "--json");
  assert.deepEqual([code, stdout], [64, ""]);
  assert.match(stderr, /did you mean status\?/);
});
