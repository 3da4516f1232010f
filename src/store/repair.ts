/**
 * Makes a database anew from what is left of a damaged one. What was there is kept beside it as it was;
 * records with a wrong checksum do not come along. A kill at any moment leaves the damaged one or the new one.
 */
import { Level } from "level";
import { randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { EdgepollError, StateDirectoryError } from "../core/errors.ts";
import type { Write } from "../core/ports.ts";
import { ID_KEY, asStoreError, open, readFormat, writeFormat, type Database } from "./database.ts";
import { damage } from "./damage.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { swapDatabase, settledMarker } from "./swap.ts";
import { damagedTables } from "./table-check.ts";

/** Records that are read or removed at once. */
const PAGE = 1000;

/** What a repair came to. */
export interface Repaired {
  /** Where the damaged files are kept. */
  readonly aside: string;
  /** Records that came along. */
  readonly records: number;
  /** Keys of records with a wrong checksum, which did not. */
  readonly dropped: readonly string[];
}

/**
 * Repairs the database of a state directory that nobody has open; `also` is written with it. Tables named
 * in `without` are left out. LevelDB may end the process at a damaged table. `wanted` settles when what was
 * made may take its place.
 * Throws `StateDirectoryError` when nothing is left, `StoreError`, `PermissionError`.
 */
export async function repairDatabase(
  directory: string,
  without: readonly string[],
  also: (aside: string) => readonly Write[],
  wanted: () => Promise<void>,
): Promise<Repaired> {
  const path = join(directory, "db");
  const work = join(directory, "db.repair");
  const aside = join(directory, "db.damaged");
  // An id of its own: no other database of this directory may be taken for it.
  const marker = { format: formatOf(directory), id: randomUUID() };
  try {
    rmSync(work, { recursive: true, force: true });
    linkFiles(path, work, without);
    await repairFiles(work);
    const database = await open(work, false);
    const found = await takeIntact(database, marker.format, [
      { key: ID_KEY, value: marker.id },
      ...also(aside),
    ]).finally(() => database.close());
    rmSync(join(work, "lost"), { recursive: true, force: true });
    const [bad] = damagedTables(work);
    if (bad !== undefined) throw damage(`${bad} can't be written anew.`);
    await wanted();
    swapDatabase(directory, work, marker, aside);
    return { aside, ...found };
  } catch (error) {
    throw asStoreError(error, `repair ${path}`);
  }
}

function repairFiles(path: string): Promise<void> {
  // On Node.js it is LevelDB itself, which can do more than the types common to all platforms say.
  return (Level as unknown as { repair(path: string): Promise<void> }).repair(path);
}

/** What the marker says, or the oldest one when it is what was damaged: a step leaves alone what is in the new form. */
function formatOf(directory: string): number {
  try {
    return settledMarker(directory)?.format ?? 1;
  } catch (error) {
    if (error instanceof EdgepollError && error.code === "STORE_DAMAGED") return 1;
    throw error;
  }
}

/** Logs and tables under a second name: LevelDB never changes one, so they take no room and stay as they are. */
function linkFiles(path: string, work: string, without: readonly string[]): void {
  const names = existsSync(path) ? readdirSync(path) : [];
  const found = names.filter((name) => /\.(log|ldb|sst)$/.test(name) && !without.includes(name));
  if (found.length === 0) {
    throw new StateDirectoryError(
      "STATE_DIRECTORY",
      `Nothing is left of ${path} that could be repaired. Put the state directory back from a backup, ` +
        "or move it away to begin anew.",
    );
  }
  mkdirSync(work, { mode: 0o700 });
  for (const name of found) linkSync(join(path, name), join(work, name));
}

/** `format` is taken for that of the records when they have lost it. */
async function takeIntact(
  database: Database,
  format: number,
  writes: readonly Write[],
): Promise<Pick<Repaired, "records" | "dropped">> {
  // As bytes: what is left of a damaged key need not be text.
  const asBytes = { keyEncoding: "buffer" } as const;
  const dropped: Buffer[] = [];
  let records = 0;
  for await (const [key, frame] of database.iterator<Buffer, Buffer>(asBytes)) {
    records++;
    try {
      decodeFrame(key.toString("utf8"), frame);
    } catch (error) {
      if (!(error instanceof EdgepollError) || error.code !== "STORE_DAMAGED") throw error;
      dropped.push(key);
    }
  }
  for (let from = 0; from < dropped.length; from += PAGE) {
    const gone = dropped.slice(from, from + PAGE);
    await database.batch<Buffer, Buffer>(
      gone.map((key) => ({ type: "del", key })),
      asBytes,
    );
  }
  await database.batch(
    writes.map(({ key, value = "" }) => ({ type: "put", key, value: encodeFrame(key, value) })),
    { sync: true },
  );
  if ((await readFormat(database)) === undefined) await writeFormat(database, format);
  // LevelDB keeps a table as it is, with the damaged block in it, until it is written anew.
  await database.compactRange("", "\u{10ffff}");
  const names = dropped.map((key) => key.toString("utf8"));
  return { records: records - dropped.length, dropped: names };
}
