import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** A checkout with the one source src/a.ts, built once. */
function checkout(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "edgepoll-build-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(path.join(folder, "src"));
  cpSync(path.join(ROOT, "scripts"), path.join(folder, "scripts"), { recursive: true });
  for (const file of ["tsconfig.json", "package.json"]) {
    cpSync(path.join(ROOT, file), path.join(folder, file));
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "src/a.ts"), "export const a: number = 1;\n");
  assert.equal(build(folder), 0);
  return folder;
}

function build(folder: string): number | null {
  const args = [path.join(folder, "scripts/build.js"), "--if-stale"];
  return spawnSync(process.execPath, args, { timeout: 60_000 }).status;
}

test("what is built already is not built again", (t) => {
  const folder = checkout(t);
  const output = path.join(folder, "dist/a.js");
  writeFileSync(output, "untouched");
  assert.equal(build(folder), 0);
  assert.equal(statSync(output).size, "untouched".length);
});

test("a check of the types does not pass for a build", (t) => {
  const folder = checkout(t);
  writeFileSync(path.join(folder, "src/a.ts"), "export const a: number = 2;\n");
  const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
  assert.equal(spawnSync(process.execPath, [tsc, "-p", folder, "--noEmit"]).status, 0);
  assert.equal(build(folder), 0);
  assert.match(readFileSync(path.join(folder, "dist/a.js"), "utf8"), /a = 2/);
});

test("an output that is gone is made again, and one whose source is gone goes", (t) => {
  const folder = checkout(t);
  rmSync(path.join(folder, "dist/a.js"));
  writeFileSync(path.join(folder, "dist/b.js"), "");
  assert.equal(build(folder), 0);
  assert.ok(existsSync(path.join(folder, "dist/a.js")));
  assert.ok(!existsSync(path.join(folder, "dist/b.js")));
});

test("a build that failed fails again until the source is right", (t) => {
  const folder = checkout(t);
  const source = path.join(folder, "src/a.ts");
  writeFileSync(source, 'export const a: number = "";\n');
  assert.notEqual(build(folder), 0);
  assert.notEqual(build(folder), 0);
  writeFileSync(source, "export const a: number = 2;\n");
  assert.equal(build(folder), 0);
});

test("a build carries its date, that of SOURCE_DATE_EPOCH when given, and one without is made again", (t) => {
  const folder = checkout(t);
  const built = path.join(folder, "dist/built");
  const date = Date.parse(readFileSync(built, "utf8").trim());
  assert.ok(Math.abs(Date.now() - date) < 600_000, String(date));
  rmSync(built);
  process.env["SOURCE_DATE_EPOCH"] = "1700000000";
  t.after(() => delete process.env["SOURCE_DATE_EPOCH"]);
  assert.equal(build(folder), 0);
  assert.equal(readFileSync(built, "utf8"), "2023-11-14T22:13:20.000Z\n");
});
