/** Where the time of a poller went, from the profile that Node.js wrote. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Span } from "./slots.ts";
import { markdownTable } from "./table.ts";

/** As V8 writes it; times in microseconds of CLOCK_MONOTONIC. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 25;

/** What Node.js is told so that it writes a profile into a directory. */
export function profileArguments(directory: string): string[] {
  return ["--cpu-prof", `--cpu-prof-dir=${directory}`];
}

/** The functions in which a process itself spent most time in a span, from the profile it left in a directory. */
export function topFunctions(directory: string, pid: number, span: Span): string {
  // Of its main thread: CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile
  const ofProcess = new RegExp(`\\.${String(pid)}\\.0\\.\\d+\\.cpuprofile$`);
  const name = readdirSync(directory).find((file) => ofProcess.test(file));
  if (name === undefined) throw new Error("the poller wrote no profile");
  const file = join(directory, name);
  // As V8 wrote it.
  const profile = JSON.parse(readFileSync(file, "utf8")) as Profile;
  rmSync(file);
  const times = selfTimes(profile, span);
  const busy = Array.from(times).filter(([place]) => !place.startsWith("(idle)"));
  const total = busy.reduce((sum, [, time]) => sum + time, 0);
  const rows = busy
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([place, time]) => [
      `${((100 * time) / total).toFixed(1)} %`,
      (time / 1000).toFixed(0),
      place,
    ]);
  return markdownTable(["of busy time", "ms", "function"], rows);
}

function selfTimes({ nodes, startTime, samples, timeDeltas }: Profile, { from, to }: Span) {
  const places = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const where = url === "" ? "" : ` ${shortened(url)}:${String(lineNumber + 1)}`;
      return [id, `${functionName === "" ? "(anonymous)" : functionName}${where}`];
    }),
  );
  const times = new Map<string, number>();
  let now = startTime;
  samples.forEach((id, n) => {
    // The time until the next sample belongs to this one.
    now += timeDeltas[n] ?? 0;
    if (now < from * 1000 || now >= to * 1000) return;
    const place = places.get(id) ?? "?";
    times.set(place, (times.get(place) ?? 0) + (timeDeltas[n + 1] ?? 0));
  });
  return times;
}

function shortened(url: string): string {
  return url.replace(/^.*\/(?=dist\/|node_modules\/)/, "");
}
