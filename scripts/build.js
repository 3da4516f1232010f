// Compiles src/ to dist/. With --if-stale only when a source is newer than the last build.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const src = path.join(root, "src");
const dist = path.join(root, "dist");
// tsc writes it last, so its time is that of the last complete build. It is asked for here and not in
// tsconfig.json, where a mere check of the types would write it too, over a dist/ that is older.
const stamp = path.join(dist, ".tsbuildinfo");
// The date of the build: a wall clock that is behind it is wrong.
const built = path.join(dist, "built");

/** All files below a folder. @param {string} folder @returns {string[]} */
function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Whether dist/ is older than what it is made from. An installed package has no src/ and is never stale. */
function isStale() {
  if (!existsSync(src)) return false;
  if (!existsSync(stamp) || !existsSync(built)) return true;
  const builtAt = statSync(stamp).mtimeMs;
  const inputs = [...filesIn(src), path.join(root, "tsconfig.json")];
  if (orphans().length > 0 || anyOutputMissing()) return true;
  return inputs.some((file) => statSync(file).mtimeMs > builtAt);
}

/** Whether a source has no file in dist/. */
function anyOutputMissing() {
  return filesIn(src).some((file) => {
    const output = path.relative(src, file).replace(/\.ts$/, ".js");
    return !existsSync(path.join(dist, output));
  });
}

/** Files in dist/ whose source is gone; they would be packed and run as if they were still ours. */
function orphans() {
  return filesIn(dist).filter((file) => {
    if (!/\.js(\.map)?$/.test(file)) return false;
    const source = path.relative(dist, file).replace(/\.js(\.map)?$/, ".ts");
    return !existsSync(path.join(src, source));
  });
}

/** The date a build is to carry: SOURCE_DATE_EPOCH, s, makes builds alike. @param {Date} now */
function dateOf(now) {
  const given = Number(process.env["SOURCE_DATE_EPOCH"]);
  return given > 0 ? new Date(given * 1000) : now;
}

/** Runs tsc and returns its exit code. */
function compile() {
  for (const file of orphans()) rmSync(file);
  // tsc believes its stamp: it would not notice that an output is gone.
  if (anyOutputMissing()) rmSync(stamp, { force: true });
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const startedAt = new Date();
  const incremental = ["--incremental", "--tsBuildInfoFile", stamp];
  const done = spawnSync(process.execPath, [tsc, "-p", root, ...incremental], { stdio: "inherit" });
  // The time before the build: a source changed while tsc ran is newer than that. tsc writes its stamp
  // in spite of errors; then all sources are to count as newer.
  const builtAt = done.status === 0 ? startedAt : new Date(0);
  if (existsSync(stamp)) utimesSync(stamp, builtAt, builtAt);
  if (done.status === 0) writeFileSync(built, `${dateOf(startedAt).toISOString()}\n`);
  return done.status ?? 1;
}

if (!process.argv.includes("--if-stale") || isStale()) process.exitCode = compile();
