/** Files that a process which died left behind: sockets, and what was being made in the state directory. */
import { existsSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeStale, staleSockets } from "../control/stale.ts";
import type { AuditFinding } from "../core/audit.ts";
import type { Clock } from "../core/ports.ts";
import { controlSocketPath } from "../system/paths.ts";

/** Names of what is made beside the file it becomes, and that file. */
const UNFINISHED = [
  ["edgepoll.json.new", "edgepoll.json"],
  ["db.new", "db"],
  ["db.restore", "db"],
  ["db.restore.in-use", "db"],
  ["db.repair", "db"],
] as const;

const UNFINISHED_TEXT = "left by a start, a restore or a repair that was cut off";

/** Where a restore keeps what was there before. */
const KEPT_ASIDE = /^before-restore-/;
const EMPTY_TEXT =
  "made by a restore for what was there before, and there is nothing of that in it";

/** What lies about of a state directory, given by its real path; its lock is held meanwhile. */
export async function strayFiles(stateDir: string, clock: Clock): Promise<AuditFinding[]> {
  const own = controlSocketPath(stateDir);
  const folders = [stateDir, dirname(own)];
  const sockets = await staleSockets(folders, clock.wall());
  return [
    ...sockets.map((path) => strayFinding("stale-socket", path, socketText(path === own))),
    // Without the file it becomes, it is what a start goes on with.
    ...UNFINISHED.filter(([name, becomes]) => isStray(stateDir, name, becomes)).map(([name]) =>
      strayFinding("leftover-file", join(stateDir, name), UNFINISHED_TEXT),
    ),
    ...emptyAsides(stateDir).map((path) => strayFinding("leftover-file", path, EMPTY_TEXT)),
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

/** Folders of a restore that never took the database in; while one is under way it may still. */
function emptyAsides(stateDir: string): string[] {
  if (existsSync(join(stateDir, "db.new"))) return [];
  return readdirSync(stateDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && KEPT_ASIDE.test(entry.name))
    .map(({ name }) => join(stateDir, name))
    .filter((path) => readdirSync(path).every((name) => name === "edgepoll.json"));
}

/** The name of a socket is a hash of its state directory: which other one it was can't be told. */
function socketText(isOwn: boolean): string {
  const whose = isOwn ? "the node of this state directory" : "a node of another state directory";
  return `control socket of ${whose}, which died and left it; nobody answers there`;
}

function strayFinding(
  kind: "stale-socket" | "leftover-file",
  path: string,
  what: string,
): AuditFinding {
  return { kind, where: path, text: `${path}: ${what}`, next: "edgepoll audit --clean" };
}
