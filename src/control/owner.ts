/** Whose node it is. */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** The beginning of the command line that may use a socket, such as `sudo -u edgepoll`; undefined: can't be told. */
export function sudoFor(path: string): string | undefined {
  const uid = ownerOf(path) ?? ownerOf(dirname(path));
  if (uid === undefined) return undefined;
  return uid === 0 ? "sudo" : `sudo -u ${nameOf(uid) ?? `'#${String(uid)}'`}`;
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}

function nameOf(uid: number): string | undefined {
  try {
    const users = readFileSync("/etc/passwd", "utf8").split("\n");
    return users.map((line) => line.split(":")).find((user) => user[2] === String(uid))?.[0];
  } catch {
    return undefined;
  }
}
