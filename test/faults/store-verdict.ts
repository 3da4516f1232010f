/** What becomes of a damaged copy of a ledger. As a program of its own too: LevelDB may end the process. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { EdgepollError } from "../../src/core/errors.ts";
import { validateStore } from "../../src/engine/validate.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";

/** `ended`: LevelDB gave up the whole process, with its own words on standard error. */
export type Verdict = "refused" | "ended" | "found" | "harmless" | "silent";

/** Opens and validates a copy; `whole` is what it held before the damage. */
export async function verdictOf(
  directory: string,
  whole: ReadonlyMap<string, string>,
): Promise<Verdict> {
  try {
    const store = await openLevelStore(directory, { create: false, clock: createClock() });
    try {
      const world = { store, pause: () => Promise.resolve() };
      const { validation } = await validateStore(world, { since: 0 });
      if (validation.findings.length > 0) return "found";
      const now = await store.range({ from: '"', to: "~" });
      const isWhole = now.every(({ key, value }) => whole.get(key) === value);
      return isWhole && now.length === whole.size ? "harmless" : "silent";
    } finally {
      await store.close();
    }
  } catch (error) {
    assert.ok(error instanceof EdgepollError, String(error));
    assert.match(error.message, /backup|move .* away/);
    return "refused";
  }
}

const [, , directory, whole] = process.argv;
if (import.meta.url.endsWith(process.argv[1] ?? "?") && directory !== undefined) {
  // Written by the test that started this: keys with their values.
  const entries = JSON.parse(readFileSync(whole ?? "", "utf8")) as [string, string][];
  process.stdout.write(await verdictOf(directory, new Map(entries)));
}
