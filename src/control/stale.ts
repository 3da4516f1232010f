/** Control sockets of processes that died. */
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isAnswered } from "./probe.ts";

const SOCKET = /^[0-9a-f]{16}\.sock$/;
/** Folders in which sockets are made before they are moved. */
const UNFINISHED = /^\.c-\w{6}$/;
/** ms after which what is being made would be done. */
const LONG_AGO = 60_000;

/** What a process that died left in folders of control sockets; `now` is wall time in ms. */
export async function staleSockets(folders: readonly string[], now: number): Promise<string[]> {
  const stale: string[] = [];
  for (const folder of new Set(folders)) {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      const isDead = SOCKET.test(name) && found.isSocket() && !(await isAnswered(path));
      const isOld = found.isDirectory() && now - found.mtimeMs > LONG_AGO;
      if (isDead || (UNFINISHED.test(name) && isOld)) stale.push(path);
    }
  }
  return stale;
}

/** Removes what was found, unless a new process uses it by now; false when it stays. */
export async function removeStale(path: string, now: number): Promise<boolean> {
  const before = lstatSync(path, { throwIfNoEntry: false });
  const folder = join(path, "..");
  if (before === undefined || !(await staleSockets([folder], now)).includes(path)) return false;
  // A node that began to listen meanwhile has put another file there.
  if (lstatSync(path, { throwIfNoEntry: false })?.ino !== before.ino) return false;
  rmSync(path, { recursive: true, force: true });
  return true;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // There is no such folder, or it is another user's.
    return [];
  }
}
