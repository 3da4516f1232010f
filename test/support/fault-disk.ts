/** A disk that obeys the test: a shim of a few lines of C, built on the fly, preloaded into a process. */
import { execFileSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createTempDir } from "./temp-dir.ts";

/** What the calls of a kind meet; errors by their number in errno(3). */
export type DiskFault =
  | { readonly calls: "sync"; readonly sleep: number }
  | {
      readonly calls: "all" | "open" | "write" | "sync";
      readonly errno: number;
      /** Only the so-many-th call from now on; default: each. */
      readonly nth?: number;
    };

/** Numbers of errno(3) on Linux. */
export const ERRNO = { EIO: 5, ENOSPC: 28, EROFS: 30 } as const;

/** The environment of a process whose disk below a directory is to obey, and the file by which it does. */
export interface FaultDisk {
  readonly env: Readonly<Record<string, string>>;
  readonly control: string;
}

/** Builds the shim for what lies below `directory`, a real path. */
export function createFaultDisk(test: Pick<TestContext, "after">, directory: string): FaultDisk {
  const built = createTempDir(test);
  const source = fileURLToPath(new URL("shim-fault.c", import.meta.url));
  const library = join(built, "shim-fault.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"]);
  const control = join(built, "fault");
  return {
    env: { LD_PRELOAD: library, EDGEPOLL_FAULT_DIR: directory, EDGEPOLL_FAULT_FILE: control },
    control,
  };
}

let rules = 0;

/** From now on the disk behaves so; without a fault it is well. */
export function setFault(control: string, fault?: DiskFault): void {
  writeFileSync(`${control}.new`, fault === undefined ? "" : lineOf(fault));
  renameSync(`${control}.new`, control);
}

function lineOf(fault: DiskFault): string {
  const deed =
    "sleep" in fault
      ? `sleep ${String(fault.sleep)} 0`
      : `errno ${String(fault.errno)} ${String(fault.nth ?? 0)}`;
  // The number makes each line a new one, from which calls are counted.
  return `${fault.calls} ${deed} ${String((rules += 1))}`;
}
