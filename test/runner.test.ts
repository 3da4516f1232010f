import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const RUNNER = fileURLToPath(new URL("../scripts/test.js", import.meta.url));

/** Runs the runner on a path, as its own first process: inside a test it would report to ours. */
function run(given: string) {
  const env = { ...process.env };
  delete env["NODE_TEST_CONTEXT"];
  return spawnSync(process.execPath, [RUNNER, given], { encoding: "utf8", env, timeout: 120_000 });
}

/** A folder with one test file two levels down. */
function folderWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "edgepoll-runner-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(path.join(folder, "one/two"), { recursive: true });
  writeFileSync(path.join(folder, "one/two/a.test.ts"), text);
  return folder;
}

test("a path without a test file fails", (t) => {
  const folder = path.join(folderWith(t, ""), "one/three");
  const { status, stderr } = run(folder);
  assert.deepEqual([status, stderr], [1, `No test file in ${folder}.\n`]);
});

test("a test file below the path is run, and the counts come last", (t) => {
  const { status, stdout } = run(
    folderWith(t, 'import test from "node:test"; test("holds", (): void => {});'),
  );
  assert.equal(status, 0, stdout);
  assert.match(stdout, /✔ holds[^]*pass 1\n[^]*fail 0\n/);
});

test("a test that fails fails the run", (t) => {
  const { status } = run(
    folderWith(t, 'import test from "node:test"; test("breaks", () => { throw new Error(); });'),
  );
  assert.equal(status, 1);
});
