/** What Linux tells of a process that is measured. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** ms between two looks at the memory. */
const EVERY = 250;
/** Ticks of `/proc/<pid>/stat` in a second: 100 on every Linux that Node.js runs on. */
const TICKS = 100;

/** A process that is watched. */
export interface ProcessWatch {
  /** ms of CPU since the watch began, and the most bytes that were resident. */
  read(): { readonly cpu: number; readonly peak: number };
  stop(): void;
}

/** Watches a process of this machine. */
export function watchProcess(pid: number): ProcessWatch {
  const began = cpuOf(pid);
  let peak = residentOf(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentOf(pid));
  }, EVERY);
  return {
    read: () => ({ cpu: cpuOf(pid) - began, peak }),
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Bytes of the database in a state directory. */
export function diskBytes(stateDir: string): number {
  const directory = join(stateDir, "db");
  return readdirSync(directory).reduce((sum, name) => {
    return sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** User and system time, ms (proc(5), fields 14 and 15 of stat). */
function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

function residentOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // It has ended.
    return 0;
  }
}
