/** Counts the syncs of a poller from outside: a few lines of C that are preloaded into it. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("count-syncs.c", import.meta.url));

/** Compiles the counter into a directory; undefined when there is no C compiler. */
export function compileSyncCounter(directory: string): string | undefined {
  const library = join(directory, "count-syncs.so");
  const args = ["-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"];
  return spawnSync("cc", args, { stdio: "ignore" }).status === 0 ? library : undefined;
}

/** The counter of one process. */
export interface SyncCounter {
  /** What the process is to have in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls of fsync and fdatasync so far; null when they are not counted. */
  read(): number | null;
}

/** Makes a counter that stands at 0. */
export function createSyncCounter(library: string | undefined, directory: string): SyncCounter {
  if (library === undefined) return { env: {}, read: () => null };
  const file = join(directory, "syncs");
  writeFileSync(file, Buffer.alloc(8));
  return {
    env: { LD_PRELOAD: library, BENCH_SYNCS: file },
    // The page is shared with the process; its byte order is this machine's.
    read: () => Number(new BigUint64Array(new Uint8Array(readFileSync(file)).buffer)[0]),
  };
}
