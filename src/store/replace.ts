/** Puts another database in the place of a state directory's own, which is kept aside. */
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Store } from "../core/ports.ts";
import { asStoreError, createDatabase } from "./database.ts";
import { kindOf } from "./kind.ts";
import { openStoreAt } from "./level-store.ts";
import { syncDirectory, writeMarker } from "./marker.ts";
import { FORMAT } from "./migrate.ts";

const MARKER = "edgepoll.json";

/** Whether a state directory holds a state. */
export function holdsState(directory: string): boolean {
  return ["db", MARKER].some((name) => kindOf(join(directory, name)) !== "absent");
}

/**
 * Makes a database, has it filled, and puts it in place when that is done; what was there goes into the
 * directory `aside`. The caller holds the state directory.
 *
 * A kill in between leaves the old state, or a start that refuses and says why, or, from the moment on at
 * which the old database has left its place, the new one, which a start then puts there.
 */
export async function replaceStore(
  directory: string,
  aside: string,
  clock: Pick<Clock, "timer">,
  fill: (store: Store) => Promise<void>,
): Promise<void> {
  const fresh = join(directory, "db.new");
  const id = randomUUID();
  try {
    rmSync(fresh, { recursive: true, force: true });
    await createDatabase(fresh, id);
    const store = await openStoreAt({ path: fresh, id, format: FORMAT }, clock);
    try {
      await fill(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw asStoreError(error, `make a database in ${directory}`);
  }
  try {
    putInPlace(directory, aside, id);
  } catch (error) {
    throw asStoreError(error, `put the new database of ${directory} in its place`);
  }
}

function putInPlace(directory: string, aside: string, id: string): void {
  const path = join(directory, "db");
  if (holdsState(directory)) mkdirSync(aside, { recursive: true, mode: 0o700 });
  if (kindOf(join(directory, MARKER)) === "file") {
    copyFileSync(join(directory, MARKER), join(aside, MARKER));
  }
  writeMarker(directory, { format: FORMAT, id });
  if (kindOf(path) !== "absent") {
    renameSync(path, join(aside, "db"));
    syncDirectory(aside);
  }
  renameSync(join(directory, "db.new"), path);
  syncDirectory(directory);
}
