/** Puts another database in the place of a state directory's own, which is kept aside. */
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Store } from "../core/ports.ts";
import { asStoreError, createDatabase } from "./database.ts";
import { kindOf } from "./kind.ts";
import { openStoreAt } from "./level-store.ts";
import { FORMAT } from "./migrate.ts";
import { swapDatabase } from "./swap.ts";

const MARKER = "edgepoll.json";

/** Whether a state directory holds a state. */
export function holdsState(directory: string): boolean {
  return ["db", MARKER].some((name) => kindOf(join(directory, name)) !== "absent");
}

/**
 * Makes a database, has it filled, and puts it in place when that is done; what was there goes into the
 * directory `aside`. The caller holds the state directory. A kill at any moment leaves the old state or the new one.
 */
export async function replaceStore(
  directory: string,
  aside: string,
  clock: Pick<Clock, "timer">,
  fill: (store: Store) => Promise<void>,
): Promise<void> {
  const made = join(directory, "db.restore");
  const id = randomUUID();
  try {
    rmSync(made, { recursive: true, force: true });
    await createDatabase(made, id);
    const store = await openStoreAt({ path: made, id, format: FORMAT }, clock);
    try {
      await fill(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw asStoreError(error, `make a database in ${directory}`);
  }
  try {
    keepMarker(directory, aside);
    swapDatabase(directory, made, { format: FORMAT, id }, join(aside, "db"));
  } catch (error) {
    throw asStoreError(error, `put the new database of ${directory} in its place`);
  }
}

/** Beside the database that is kept: together they can be put back. */
function keepMarker(directory: string, aside: string): void {
  if (kindOf(join(directory, MARKER)) !== "file") return;
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  copyFileSync(join(directory, MARKER), join(aside, MARKER));
}
