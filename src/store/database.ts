/** Opens LevelDB and says in edgepoll's words what went wrong. */
import { Level } from "level";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  EdgepollError,
  LockedError,
  PermissionError,
  StateDirectoryError,
  StoreError,
  messageOf,
} from "../core/errors.ts";
import { shellWord } from "../core/shell.ts";
import { damage } from "./damage.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { kindOf } from "./kind.ts";
import { refuseDamagedLogs } from "./log-check.ts";
import { FORMAT } from "./migrate.ts";
import { refuseDamagedTables } from "./table-check.ts";

/** LevelDB with text keys and frames as values. */
export type Database = Level<string, Buffer> & {
  /** Rewrites the files that hold a range, without what was deleted. */
  compactRange(from: string, to: string): Promise<void>;
};

/** Holds the id of the marker; it sorts before `FIRST_KEY`, so no range of the store finds it. */
export const ID_KEY = "!id";

/** Holds the version of all records; the release of version 1 did not write it. */
const FORMAT_KEY = "!format";

/** The first key the store's users may use. */
export const FIRST_KEY = '"';

/** Makes a database with an id at a path where there is none. */
export async function createDatabase(path: string, id: string): Promise<void> {
  const database = await open(path, true);
  try {
    await database.put(ID_KEY, encodeFrame(ID_KEY, id));
    await writeFormat(database, FORMAT);
  } finally {
    await database.close();
  }
}

/**
 * Looks at the files before LevelDB does. Tables take a second for some hundred megabytes: they are
 * read when there is reason to doubt them. Throws `StateDirectoryError`, `StoreError`.
 */
export function refuseDamaged(path: string, isDoubtful: boolean): void {
  refuseUnlessWhole(path);
  refuseDamagedLogs(path);
  if (isDoubtful) refuseDamagedTables(path);
}

/** Opens the database with that id. Throws `LockedError`, `StateDirectoryError`, `PermissionError`, `StoreError`. */
export async function openDatabase(path: string, id: string): Promise<Database> {
  const database = await open(path, false);
  try {
    const frame = await readFrame(database, ID_KEY);
    const found = frame && decodeFrame(ID_KEY, frame);
    if (found === id) return database;
    if (found === undefined) throw damage(`${path} lost its id.`);
    throw new StateDirectoryError(
      "STATE_DIRECTORY",
      `The database ${path} does not belong to the marker beside it: it holds the id ${found}, ` +
        `the marker says ${id}. Files are mixed up; put both back from one backup.`,
    );
  } catch (error) {
    await database.close();
    throw asStoreError(error, `read the id of ${path}`);
  }
}

/** The version of all records, undefined when it is not there. */
export async function readFormat(database: Database): Promise<number | undefined> {
  const frame = await readFrame(database, FORMAT_KEY);
  return frame === undefined ? undefined : Number(decodeFrame(FORMAT_KEY, frame));
}

/** From now on all records are of that version. */
export async function writeFormat(database: Database, format: number): Promise<void> {
  const value = encodeFrame(FORMAT_KEY, String(format));
  await database.batch([{ type: "put", key: FORMAT_KEY, value }], { sync: true });
}

/** The frame under a key, undefined when there is none (which the library's types leave out). */
export function readFrame(database: Database, key: string): Promise<Buffer | undefined> {
  return database.get(key);
}

/** What a failure of LevelDB or of the file system means; errors of edgepoll stay as they are. */
export function asStoreError(error: unknown, deed: string): EdgepollError {
  if (error instanceof EdgepollError) return error;
  const code = codeOf(error);
  const text = messageOf(causeOf(error) ?? error);
  if (code === "EACCES" || code === "EPERM" || /permission denied/i.test(text)) {
    const message = `May not ${deed}: ${text}. Run edgepoll as the user the directory belongs to.`;
    return new PermissionError("PERMISSION", message, error);
  }
  const damaged =
    code === "LEVEL_CORRUPTION" || /corruption|invalid argument|no such file/i.test(text);
  if (damaged) return damage(`Could not ${deed}: ${text}.`, error);
  return new StoreError("STORE_FAILED", `Could not ${deed}: ${text}${hintOf(text)}`, error);
}

function hintOf(text: string): string {
  const full = /no space left|ENOSPC/i.test(text);
  return full ? ". The disk is full: free some space (df shows how much is left)." : "";
}

/** Opens what lies at a path, or makes it. Throws `LockedError`, `PermissionError`, `StoreError`. */
export async function open(path: string, createIfMissing: boolean): Promise<Database> {
  const options = { keyEncoding: "utf8", valueEncoding: "buffer" } as const;
  // On Node.js it is LevelDB itself, which can do more than the types common to all platforms say.
  const database = new Level<string, Buffer>(path, options) as Database;
  try {
    await database.open({ createIfMissing, errorIfExists: createIfMissing });
    return database;
  } catch (error) {
    // Nothing is open, but the library would hold the handle until it is told.
    await database.close();
    if (codeOf(error) === "LEVEL_LOCKED") {
      const where = ` --state-dir ${shellWord(dirname(path))}`;
      throw new LockedError(
        "ALREADY_RUNNING",
        `Another edgepoll has ${path} open. ` +
          `edgepoll status${where} shows it; edgepoll stop --node${where} ends it.`,
        error,
      );
    }
    throw asStoreError(error, `open ${path}`);
  }
}

/** LevelDB without its CURRENT file would begin anew over the rest. */
function refuseUnlessWhole(path: string): void {
  const kind = kindOf(path);
  if (kind === "directory") {
    const current = join(path, "CURRENT");
    if (kindOf(current) !== "file") throw damage(`The database ${path} lost its file CURRENT.`);
    if (statSync(current).size === 0) throw damage(`${current} is empty.`);
    return;
  }
  const what = { absent: "is gone", file: "is a file", other: "is not a directory" };
  throw new StateDirectoryError(
    "STATE_DIRECTORY",
    `The database ${path} ${what[kind]}. What it held can't be known, so edgepoll does not begin ` +
      "anew by itself: put it back from a backup, or move the state directory away to begin anew.",
  );
}

function codeOf(error: unknown): unknown {
  const own = propertyOf(error, "code");
  return own === "LEVEL_DATABASE_NOT_OPEN" ? (propertyOf(causeOf(error), "code") ?? own) : own;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Partial<Record<string, unknown>>)[name]; // any object may be read so
}
