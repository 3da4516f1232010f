/** Files that a process which died left behind: sockets, and what was being made in the state directory. */
import { existsSync, lstatSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeStale, staleSockets } from "../control/stale.ts";
import type { AuditFinding } from "../core/audit.ts";
import type { Clock } from "../core/ports.ts";
import { controlSocketPath } from "../system/paths.ts";

/** Names of what is made beside the file it becomes, and that file. */
const UNFINISHED = [
  ["edgepoll.json.new", "edgepoll.json"],
  ["db.new", "db"],
] as const;

/** What lies about of a state directory, given by its real path; its lock is held meanwhile. */
export async function strayFiles(stateDir: string, clock: Clock): Promise<AuditFinding[]> {
  const folders = [stateDir, dirname(controlSocketPath(stateDir))];
  const sockets = await staleSockets(folders, clock.wall());
  return [
    ...sockets.map((path) => strayFinding("stale-socket", path)),
    // Without the file it becomes, it is what a start goes on with.
    ...UNFINISHED.filter(([name, becomes]) => isStray(stateDir, name, becomes)).map(([name]) =>
      strayFinding("leftover-file", join(stateDir, name)),
    ),
  ];
}

/** Removes one of them; false when it stays. */
export async function removeStray({ kind, where }: AuditFinding, clock: Clock): Promise<boolean> {
  try {
    if (kind === "stale-socket") return await removeStale(where, clock.wall());
    rmSync(where, { recursive: true, force: true });
    return true;
  } catch {
    // It stays, and is found again.
    return false;
  }
}

function isStray(stateDir: string, name: string, becomes: string): boolean {
  const isThere = lstatSync(join(stateDir, name), { throwIfNoEntry: false }) !== undefined;
  return isThere && existsSync(join(stateDir, becomes));
}

function strayFinding(kind: "stale-socket" | "leftover-file", path: string): AuditFinding {
  const text =
    kind === "stale-socket"
      ? `${path}: nobody answers at this control socket; the process that made it died`
      : `${path}: left by a start that was cut off while it made the state directory`;
  return { kind, where: path, text, next: "edgepoll audit --clean" };
}
