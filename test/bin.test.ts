import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../bin/edgepoll.js", import.meta.url));

/** A folder with the program's entry and whatever `main` is given as dist/cli/main.js. */
function installation(t: TestContext, main?: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "edgepoll-bin-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(path.join(folder, "bin"));
  cpSync(BIN, path.join(folder, "bin/edgepoll.js"));
  writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
  if (main !== undefined) {
    mkdirSync(path.join(folder, "dist/cli"), { recursive: true });
    writeFileSync(path.join(folder, "dist/cli/main.js"), main);
  }
  return folder;
}

/** Runs the entry on a Node.js that says it is of the given version. */
function run(folder: string, version = process.versions.node) {
  const pretend = path.join(folder, "pretend.cjs");
  writeFileSync(
    pretend,
    `Object.defineProperty(process.versions, "node", { value: ${JSON.stringify(version)} });`,
  );
  const args = ["--require", pretend, path.join(folder, "bin/edgepoll.js")];
  return spawnSync(process.execPath, args, { encoding: "utf8", timeout: 30_000 });
}

for (const version of ["12.22.12", "18.20.4", "20.18.3"]) {
  test(`Node.js ${version} is told in one line that it is too old`, (t) => {
    const { status, stderr } = run(installation(t, "console.log('started');"), version);
    assert.equal(status, 1);
    assert.match(stderr, /^edgepoll needs Node\.js 20\.19 or newer; this is .*\n$/);
  });
}

for (const version of ["20.19.0", "22.0.0", "30.1.0"]) {
  test(`Node.js ${version} starts`, (t) => {
    const { status, stdout } = run(installation(t, "console.log('started');"), version);
    assert.deepEqual([status, stdout], [0, "started\n"]);
  });
}

test("a checkout that is not built says in one line what to run", (t) => {
  const { status, stderr } = run(installation(t));
  assert.deepEqual([status, stderr], [1, "edgepoll is not built yet; run: npm run build\n"]);
});

test("a package that is missing is not taken for a checkout that is not built", (t) => {
  const { status, stderr } = run(installation(t, 'import "no-such-package";'));
  assert.equal(status, 70);
  assert.match(stderr, /no-such-package/);
});
