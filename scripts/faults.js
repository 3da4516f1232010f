// Runs the fault rows and writes what was seen into docs/reliability.md: npm run faults [-- FILE…]
// With files only their rows are run; the others keep what was seen last.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { rowsOf, withRows } from "./fault-page.js";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const file = path.join(root, "docs/reliability.md");
const given = process.argv.slice(2);

const directory = mkdtempSync(path.join(tmpdir(), "edgepoll-faults-"));
try {
  const tests = given.length > 0 ? given : ["test/faults"];
  const run = spawnSync(process.execPath, [path.join(root, "scripts/test.js"), ...tests], {
    stdio: "inherit",
    env: { ...process.env, EDGEPOLL_FAULTS: directory },
  });
  if (run.status === 0) write();
  else console.error("A row failed; docs/reliability.md was left as it is.");
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(directory, { recursive: true });
}

function write() {
  const page = readFileSync(file, "utf8");
  const seen = readdirSync(directory).map((name) =>
    JSON.parse(readFileSync(path.join(directory, name), "utf8")),
  );
  const kept = given.length > 0 ? rowsOf(page) : [];
  const rows = new Map([...kept, ...seen].map((row) => [row.id, row]));
  writeFileSync(file, withRows(page, [...rows.values()]));
  console.log(
    `docs/reliability.md has ${String(rows.size)} rows, ${String(seen.length)} of this run.`,
  );
}
