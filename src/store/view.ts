/** A look at a store whose directory may not be written, such as a copy on a medium that is read-only. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asStoreError } from "./database.ts";
import { databaseOf } from "./swap.ts";

/** LevelDB never changes a table once it is written. */
const TABLE = /\.(ldb|sst)$/;
const MARKER = /^edgepoll\.json$|^db\.in-use$/;

/** A state directory of its own with the same content. */
export interface View {
  readonly directory: string;
  remove(): void;
}

/**
 * Makes one below the directory for temporary files: tables are linked, all else, which is small, is copied.
 * What is written there changes nothing of the original. Throws `PermissionError`, `StoreError`.
 */
export function viewOf(directory: string): View {
  const view = mkdtempSync(join(tmpdir(), "edgepoll-view-"));
  const remove = (): void => {
    rmSync(view, { recursive: true, force: true });
  };
  try {
    for (const name of readdirSync(directory).filter((one) => MARKER.test(one)))
      copy(join(directory, name), join(view, name));
    const from = databaseOf(realpathSync(directory));
    const to = join(view, "db");
    mkdirSync(to);
    for (const name of readdirSync(from)) {
      const take = TABLE.test(name) ? symlinkSync : copy;
      take(join(from, name), join(to, name));
    }
  } catch (error) {
    remove();
    throw asStoreError(error, `read ${directory}`);
  }
  return { directory: view, remove };
}

/** A copy has the mode of its original, which may forbid to write. */
function copy(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
}
