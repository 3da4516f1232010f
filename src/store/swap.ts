/**
 * Puts a database that is ready in the place of a state directory's own. The marker is the commit: before it
 * is written the old database is the one, from then on the new one. What a kill leaves undone the next to
 * open the directory does.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { kindOf } from "./kind.ts";
import { readMarker, syncDirectory, writeMarker, type Marker } from "./marker.ts";

/**
 * Puts the closed database `made` in place, whose id `marker` holds; what was there is moved to `aside`, a path
 * in the state directory that has no database of worth. The caller holds the state directory.
 */
export function swapDatabase(directory: string, made: string, marker: Marker, aside: string): void {
  const ready = join(directory, "db.new");
  rmSync(ready, { recursive: true, force: true });
  renameSync(made, ready);
  // The marker must not outlast a power cut without the database that it tells of.
  syncDirectory(directory);
  const pending = { ...marker, aside: relative(directory, aside) };
  writeMarker(directory, pending);
  finish(directory, pending, pending.aside);
}

/** The marker of a state directory, after a swap that was cut off is done. Throws as `readMarker`. */
export function settledMarker(directory: string): Marker | undefined {
  const marker = readMarker(directory);
  return marker?.aside === undefined ? marker : finish(directory, marker, marker.aside);
}

/** Path of the database that a start takes: the new one when it has not taken its place yet. Throws as `readMarker`. */
export function databaseOf(directory: string): string {
  const path = join(directory, "db");
  const ready = join(directory, "db.new");
  if (kindOf(ready) === "absent") return path;
  const isNext = kindOf(path) === "absent" || readMarker(directory)?.aside !== undefined;
  return isNext ? ready : path;
}

function finish(directory: string, { format, id }: Marker, aside: string): Marker {
  const path = join(directory, "db");
  const ready = join(directory, "db.new");
  // Without it the renames are done, and only the marker is not.
  if (kindOf(ready) !== "absent") {
    if (kindOf(path) !== "absent") moveAside(path, join(directory, aside));
    renameSync(ready, path);
    syncDirectory(directory);
  }
  const settled = { format, id };
  writeMarker(directory, settled);
  return settled;
}

function moveAside(path: string, aside: string): void {
  mkdirSync(dirname(aside), { recursive: true, mode: 0o700 });
  rmSync(aside, { recursive: true, force: true });
  renameSync(path, aside);
  syncDirectory(dirname(aside));
}
