/** A file beside the database while it is open: whoever finds it knows that the last end was not clean. */
import { closeSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { kindOf } from "./kind.ts";
import { syncDirectory } from "./marker.ts";

/** Behind the name of the database. */
const ENDING = ".in-use";

/** Whether the one who had the database open last did not close it. */
export function wasInUse(path: string): boolean {
  return kindOf(path + ENDING) !== "absent";
}

/** From now on the database is in use. */
export function markInUse(path: string): void {
  closeSync(openSync(path + ENDING, "w", 0o600));
  syncDirectory(dirname(path));
}

/** The database was closed in order. */
export function markClosed(path: string): void {
  rmSync(path + ENDING, { force: true });
}
