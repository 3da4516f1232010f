/** Where the time of a poller went, from the profile that Node.js wrote. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Span } from "./slots.ts";
import { markdownTable } from "./table.ts";

/** A share of the busy time of a poller's main thread, in percent. */
export interface Share {
  readonly percent: number;
  readonly where: string;
}

/** Where that time went. */
export interface Profile {
  readonly workload: string;
  readonly commit: string;
  /** Folders of edgepoll, packages, Node.js and V8. */
  readonly parts: readonly Share[];
  /** The functions themselves, without what they call. */
  readonly functions: readonly Share[];
}

/** As V8 writes it; times in microseconds of CLOCK_MONOTONIC. */
interface RawProfile {
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

const MOST = 10;

/** What Node.js is told so that it writes a profile into a directory. */
export function profileArguments(directory: string): string[] {
  return ["--cpu-prof", `--cpu-prof-dir=${directory}`];
}

/** Where a process spent its time in a span, the ten largest shares, from the profile it left in a directory. */
export function sharesOf(
  directory: string,
  pid: number,
  span: Span,
): Pick<Profile, "parts" | "functions"> {
  // Of its main thread: CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile
  const ofProcess = new RegExp(`\\.${String(pid)}\\.0\\.\\d+\\.cpuprofile$`);
  const name = readdirSync(directory).find((file) => ofProcess.test(file));
  if (name === undefined) throw new Error("the poller wrote no profile");
  const file = join(directory, name);
  // As V8 wrote it.
  const times = selfTimes(JSON.parse(readFileSync(file, "utf8")) as RawProfile, span);
  rmSync(file);
  times.delete("(idle)");
  const byPart = new Map<string, number>();
  for (const [place, time] of times) {
    const part = partOf(place);
    byPart.set(part, (byPart.get(part) ?? 0) + time);
  }
  return { parts: largest(byPart), functions: largest(times) };
}

/** The shares as tables. */
export function profileTables({ parts, functions }: Pick<Profile, "parts" | "functions">): string {
  const rowsOf = (shares: readonly Share[]): string[][] =>
    shares.map(({ percent, where }) => [`${percent.toFixed(1)} %`, where]);
  return [
    markdownTable(["of busy time", "part"], rowsOf(parts)),
    markdownTable(["of busy time", "function"], rowsOf(functions)),
  ].join("\n\n");
}

function largest(times: ReadonlyMap<string, number>): Share[] {
  const total = Array.from(times.values()).reduce((sum, time) => sum + time, 0);
  return Array.from(times, ([where, time]) => ({ percent: (100 * time) / total, where }))
    .sort((a, b) => b.percent - a.percent)
    .slice(0, MOST);
}

/** A folder of edgepoll, a package, Node.js itself, or what V8 names in parentheses. */
function partOf(place: string): string {
  const [, folder, library] =
    / (?:dist\/(\w+)|node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(place) ?? [];
  if (folder !== undefined) return `edgepoll: ${folder}`;
  if (library !== undefined) return library;
  return place.startsWith("(") && !place.includes(" node:") ? place : "Node.js";
}

function selfTimes({ nodes, startTime, samples, timeDeltas }: RawProfile, { from, to }: Span) {
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
