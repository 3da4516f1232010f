/**
 * A start over 100,000 outcomes, and one over a million waiting readings as well (row K14):
 * `node --import ts-blank-space/register test/soak/store-size.ts`. EDGEPOLL_DIRECTORY: where the state is made.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureFull } from "./full-node.ts";

const ROWS = 100_000;
/** Readings that wait, and ms that a start over them may take. */
const MARKS = [
  { waiting: ROWS, most: 3000 },
  { waiting: 1_000_000, most: 5000 },
];

const table: Record<string, object> = {};
for (const { waiting, most } of MARKS) {
  const cleanUps: (() => unknown)[] = [];
  const test = { after: (clean: () => unknown) => void cleanUps.push(clean) };
  const directory = mkdtempSync(
    join(process.env["EDGEPOLL_DIRECTORY"] ?? tmpdir(), "edgepoll-full-"),
  );
  try {
    const seen = await measureFull(test, directory, { rows: ROWS, waiting });
    table[`${String(ROWS)} outcomes, ${String(waiting)} wait`] = seen.figures;
    const isWhole = seen.due === waiting && seen.findings.length === 0 && seen.waits >= waiting;
    if (!isWhole || seen.start > most) process.exitCode = 1;
  } finally {
    for (const clean of cleanUps.reverse()) await clean();
    rmSync(directory, { recursive: true });
  }
}
console.table(table);
