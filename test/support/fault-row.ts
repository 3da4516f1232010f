/** A row of the fault table: a test whose words and findings make `docs/reliability.md`. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

/** What a row says before it has run. Texts are literals: `fault-declarations.ts` reads them from the source. */
export interface FaultRow {
  /** A letter for the group and a number: `D4`; a row of two tests has `D4a` and `D4b`. */
  readonly id: string;
  /** The fault, in words. */
  readonly fault: string;
  /** What the test does to bring it about. */
  readonly done: string;
  /** What must happen then. */
  readonly must: string;
}

/** ms, for all that a row does unless it says otherwise. */
const LIMIT = 60_000;

/**
 * Declares the test of a row. The body gives back what was seen, a short text with figures from the
 * witnesses; when EDGEPOLL_FAULTS names a directory, the row is written there.
 */
export function faultRow(
  row: FaultRow,
  body: (t: TestContext) => Promise<string>,
  timeout = LIMIT,
): void {
  test(`${row.id} ${row.fault}: ${row.must}`, { timeout }, async (t) => {
    const seen = await body(t);
    assert.notEqual(seen, "", "a row says what was seen");
    const directory = process.env["EDGEPOLL_FAULTS"];
    if (directory === undefined) return;
    writeFileSync(join(directory, `${row.id}.json`), JSON.stringify({ ...row, seen }));
  });
}
