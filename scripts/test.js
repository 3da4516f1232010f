// Runs the tests: npm test [-- FILE-OR-FOLDER…]
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { provideSystemParts } from "./system-parts.js";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The test files a path stands for. @param {string} given @returns {string[]} */
function testFiles(given) {
  const absolute = path.resolve(root, given);
  if (!existsSync(absolute)) return [];
  if (statSync(absolute).isFile()) return [absolute];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Says why nothing was tested, and fails. @param {string} line @returns {never} */
function giveUp(line) {
  console.error(line);
  process.exit(1);
}

const given = process.argv.slice(2);
const asked = given.length > 0 ? given : ["test"];
const lists = asked.map(testFiles);
const empty = asked.filter((_, index) => lists[index]?.length === 0);
// node --test reports success when it finds nothing.
if (empty.length > 0) giveUp(`No test file in ${empty.join(", ")}.`);
const files = [...new Set(lists.flat())].sort();

const missing = provideSystemParts();
if (missing !== undefined) giveUp(missing);

const build = spawnSync(process.execPath, [path.join(root, "scripts/build.js"), "--if-stale"], {
  stdio: "inherit",
});
if (build.status !== 0) giveUp("The build failed; nothing was tested.");

// Most files wait for most of their time: for a line's silence, a time-out, a process that starts.
const together = 1 + availableParallelism();

const runner = spawn(
  process.execPath,
  [
    "--import",
    "ts-blank-space/register",
    "--import",
    "./scripts/time-limit.js",
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${String(together)}`,
    ...files,
  ],
  { cwd: root, stdio: "inherit" },
);
runner.on("error", (error) => giveUp(`The tests could not be started: ${error.message}`));
runner.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
