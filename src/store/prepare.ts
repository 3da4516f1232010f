/** Finds or makes the database of a state directory, such that a kill in between leaves nothing unclear. */
import { randomUUID } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { StateDirectoryError } from "../core/errors.ts";
import { damage } from "./damage.ts";
import { createDatabase } from "./database.ts";
import { kindOf } from "./kind.ts";
import { syncDirectory, writeMarker } from "./marker.ts";
import { FORMAT } from "./migrate.ts";
import { settledMarker } from "./swap.ts";

/** Where the database is and which id it must hold. */
export interface Place {
  readonly path: string;
  readonly id: string;
  /** The newest version of which something may be there. */
  readonly format: number;
}

/**
 * The database's place; a new one is made only where there is neither marker nor database.
 * Order: database under a name of its own, marker, rename. So a marker without either database means loss.
 */
export async function prepare(directory: string, create: boolean): Promise<Place> {
  if (kindOf(directory) !== "directory") {
    throw refused(`${directory} is not a directory. Give another with --state-dir.`);
  }
  const path = join(directory, "db");
  const fresh = join(directory, "db.new");
  const marker = settledMarker(directory);
  if (!marker && kindOf(path) !== "absent") {
    throw damage(
      `${path} is there, but edgepoll.json beside it is gone, so it may have lost files too.`,
    );
  }
  if (!marker && !create) {
    throw refused(`${directory} holds no state of edgepoll. edgepoll start makes it.`);
  }
  const id = marker?.id ?? randomUUID();
  if (!marker) {
    rmSync(fresh, { recursive: true, force: true });
    await createDatabase(fresh, id);
    writeMarker(directory, { format: FORMAT, id });
  }
  if (kindOf(path) === "absent" && kindOf(fresh) === "directory") {
    renameSync(fresh, path);
    syncDirectory(directory);
  }
  return { path, id, format: marker?.format ?? FORMAT };
}

function refused(message: string): StateDirectoryError {
  return new StateDirectoryError("STATE_DIRECTORY", message);
}
