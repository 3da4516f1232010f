/** A disk that is full, read-only or failing, under the engine and the real store. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createFaultDisk } from "../support/fault-disk.ts";
import { faultRow } from "../support/fault-row.ts";
import { createMemoryDir } from "../support/temp-dir.ts";

/** Runs a scenario of `disk-program.ts` on a disk that obeys, and gives back what it saw. */
async function onFaultDisk(t: TestContext, scenario: string): Promise<string> {
  const directory = join(createMemoryDir(t), "state");
  mkdirSync(directory);
  const disk = createFaultDisk(t, directory);
  const program = fileURLToPath(new URL("./disk-program.ts", import.meta.url));
  const register = import.meta.resolve("ts-blank-space/register");
  const args = ["--import", register, program, scenario, directory, disk.control];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    env: { ...env, ...disk.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code]: unknown[] = await once(child, "close");
  if (code === 0) return said;
  throw new Error(`${scenario} ended with ${String(code)}:\n${said}`);
}

faultRow(
  {
    id: "K4a",
    fault: "the disk is full when a slot is to be claimed, and then freed",
    done: "ENOSPC by a preloaded library from the write of a claim on, for 5 s; two gateways every second on a clock that waits for the disk",
    must: "nothing unclaimed is polled, slots are missed: store, health says failing; polling resumes within two intervals; all that was confirmed is there",
  },
  (t) => onFaultDisk(t, "claim"),
);

faultRow(
  {
    id: "K4b",
    fault: "the disk is full when an outcome is to be written, and then freed",
    done: "ENOSPC from the moment a device was asked, for 5 s and then for 15 s",
    must: "as K4a; the outcome is written late, or is unknown: store when that takes more than 10 s",
  },
  (t) => onFaultDisk(t, "outcome"),
);

faultRow(
  {
    id: "K4c",
    fault: "the disk is full when LevelDB rewrites its tables, and then freed",
    done: "ENOSPC for new files while 3 MB are compacted, and for 5 s after that",
    must: "as K4a",
  },
  (t) => onFaultDisk(t, "compaction"),
);

faultRow(
  {
    id: "K4d",
    fault: "the file system becomes read-only, and writable again",
    done: "EROFS from the write of a claim on, for 5 s",
    must: "as K4a",
  },
  (t) => onFaultDisk(t, "read-only"),
);

faultRow(
  {
    id: "K5",
    fault: "EIO at the n-th sync",
    done: "the n-th fsync or fdatasync fails, counted anew for each n from 1 to 50, in one run",
    must: "as K4a; a claim whose sync failed counts as perhaps claimed: its slot is not polled unless it was claimed again",
  },
  (t) => onFaultDisk(t, "eio"),
);
