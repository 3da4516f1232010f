/** How much disk the store takes, and how much there is left. */
import { readdirSync, statSync, statfsSync } from "node:fs";
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

/** Size of the disk a directory lies on and what is free for this user, bytes; null when not known. */
export function diskRoom(directory: string): { size: number; free: number } | null {
  try {
    const { bsize, blocks, bavail } = statfsSync(directory);
    return { size: bsize * blocks, free: bsize * bavail };
  } catch {
    return null;
  }
}

/** LevelDB removes files at any time: one that is gone counts nothing. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
