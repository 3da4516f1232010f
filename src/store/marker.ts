/** The marker beside the database: what was made here, so that a database that lost its files is seen. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import { StoreError } from "../core/errors.ts";
import { damage } from "./damage.ts";
import { kindOf } from "./kind.ts";
import { FORMAT } from "./migrate.ts";

const NAME = "edgepoll.json";

/** The text of the marker: the id that is also inside the database, and whom to keep out. */
export interface Marker {
  /** The newest version of which something may be there, from the beginning of a migration on. */
  readonly format: number;
  readonly id: string;
  /** While `db.new` takes the place of `db`: where in the directory the old one goes. */
  readonly aside?: string;
}

/** The marker of a state directory, undefined when there is none. Throws `StoreError`. */
export function readMarker(directory: string): Marker | undefined {
  const path = join(directory, NAME);
  const kind = kindOf(path);
  if (kind === "absent") return undefined;
  const marker = kind === "file" ? parse(readFileSync(path, "utf8")) : undefined;
  if (!marker) {
    throw damage(`${path} can't be understood; it says which database belongs to this directory.`);
  }
  if (marker.format > FORMAT) {
    throw newer(directory, marker.format);
  }
  return marker;
}

/** The error for a state directory of a version that is not known here. */
export function newer(directory: string, format: number): StoreError {
  return new StoreError(
    "STORE_VERSION",
    `${directory} was written by a newer edgepoll: it has format ${String(format)}, this one knows ` +
      `formats up to ${String(FORMAT)}. Nothing was changed. Install the newer edgepoll again; or put a ` +
      "backup of an older one back, edgepoll restore FILE; or give another directory with --state-dir.",
  );
}

/** Keeps older releases out of a state directory whose records they would misread. */
export function raiseMarker(directory: string): void {
  const marker = readMarker(directory);
  if (marker !== undefined && marker.format < FORMAT) {
    writeMarker(directory, { ...marker, format: FORMAT });
  }
}

/** Writes the marker so that after a power cut it is there whole or not at all. */
export function writeMarker(directory: string, marker: Marker): void {
  const path = join(directory, NAME);
  writeFileSync(`${path}.new`, `${JSON.stringify(marker)}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  syncDirectory(directory);
}

/** Makes renames in a directory outlast a power cut. */
export function syncDirectory(directory: string): void {
  // Windows refuses to open a directory, and orders renames by itself.
  if (platform() === "win32") return;
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function parse(text: string): Marker | undefined {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== "object" || found === null) return undefined;
    const { format, id, aside } = found as Partial<Record<string, unknown>>; // any object may be read so
    if (typeof id !== "string" || !Number.isSafeInteger(format) || Number(format) < 1)
      return undefined;
    return { format: Number(format), id, ...(typeof aside === "string" && { aside }) };
  } catch {
    return undefined;
  }
}
