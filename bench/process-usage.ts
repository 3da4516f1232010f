/** What a process has used so far, from /proc (see proc(5)). */
import { readdirSync, readFileSync } from "node:fs";

/** Counters of a process; they only rise. */
export interface Usage {
  /** Time on a core, all threads, in ms. */
  readonly cpu: number;
  /** Time its threads were ready to run and had to wait for a core, in ms. */
  readonly waited: number;
  readonly voluntarySwitches: number;
  /** Bytes that reached the block layer, and bytes handed to write calls (files and sockets). */
  readonly diskBytes: number;
  readonly writtenBytes: number;
}

/** Reads the counters of a process. Throws when it is gone. */
export function usageOf(pid: number): Usage {
  const folder = `/proc/${String(pid)}`;
  let [cpu, waited, voluntarySwitches] = [0, 0, 0];
  for (const task of readdirSync(`${folder}/task`)) {
    const [onCore = 0, ready = 0] = readFileSync(`${folder}/task/${task}/schedstat`, "utf8")
      .split(" ")
      .map(Number);
    cpu += onCore / 1e6;
    waited += ready / 1e6;
    voluntarySwitches += fieldOf(`${folder}/task/${task}/status`, "voluntary_ctxt_switches");
  }
  const diskBytes = fieldOf(`${folder}/io`, "write_bytes");
  return {
    cpu,
    waited,
    voluntarySwitches,
    diskBytes,
    writtenBytes: fieldOf(`${folder}/io`, "wchar"),
  };
}

/** What was used between two looks. */
export function usedBetween(before: Usage, after: Usage): Usage {
  return {
    cpu: after.cpu - before.cpu,
    waited: after.waited - before.waited,
    voluntarySwitches: after.voluntarySwitches - before.voluntarySwitches,
    diskBytes: after.diskBytes - before.diskBytes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
  };
}

/** Memory of a process in MB (10⁶ bytes): now, and the most it ever had. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const file = `/proc/${String(pid)}/status`;
  return { now: fieldOf(file, "VmRSS") * 1.024e-3, peak: fieldOf(file, "VmHWM") * 1.024e-3 };
}

/** Time each core was busy since boot, in ms, by its number. */
export function busyCores(): number[] {
  const cores = readFileSync("/proc/stat", "utf8").matchAll(/^cpu\d+ (.*)$/gm);
  return Array.from(cores, ([, fields = ""]) => {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields
      .split(" ")
      .map(Number);
    // In hundredths of a second on every Linux.
    return 10 * (user + nice + system + irq + softirq);
  });
}

function fieldOf(file: string, name: string): number {
  const found = new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(readFileSync(file, "utf8"));
  if (found === null) throw new Error(`${file} has no ${name}`);
  return Number(found[1]);
}
