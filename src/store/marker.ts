/** The marker beside the database: what was made here, so that a database that lost its files is seen. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import { StoreError } from "../core/errors.ts";
import { damage } from "./damage.ts";
import { kindOf } from "./kind.ts";

/** Version of the layout of the state directory. */
export const FORMAT = 1;

const NAME = "edgepoll.json";

/** The text of the marker: the layout's version and the id that is also inside the database. */
export interface Marker {
  readonly format: number;
  readonly id: string;
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
    throw new StoreError(
      "STORE_VERSION",
      `${directory} has format ${String(marker.format)}; this edgepoll knows formats up to ` +
        `${String(FORMAT)}. Install the edgepoll that wrote it.`,
    );
  }
  return marker;
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
    const { format, id } = found as Partial<Record<string, unknown>>; // any object may be read so
    return typeof format === "number" && typeof id === "string" ? { format, id } : undefined;
  } catch {
    return undefined;
  }
}
