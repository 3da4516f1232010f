/** How much disk the store takes. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes of the files of a state directory's database, null when they can't be counted; no file is opened. */
export function storeBytes(directory: string): number | null {
  const path = join(directory, "db");
  try {
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  } catch {
    return null;
  }
}

/** LevelDB removes files at any time: one that is gone counts nothing. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
