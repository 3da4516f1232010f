/** What the bench is asked to do. */
import { parseArgs } from "node:util";
import { POLLERS, type PollerName } from "./pollers.ts";
import { ONE, SMOKE, WORKLOADS, type Workload } from "./workloads.ts";

/** Shown by --help. */
export const HELP = `npm run bench [-- OPTION…]
  --only NAMES      workloads, such as W1-100,W4 (all: ${WORKLOADS.map(({ name }) => name).join(",")},W8)
  --pollers NAMES   of edgepoll,least,spread,plain (all)
  --seconds N       measured time of a run (10)
  --warmup N        time before it (15)
  --runs N          runs of each workload and poller (1)
  --dir DIR         where state and results go; a real file system (bench/out)
  --profile         runs edgepoll alone with --cpu-prof and prints where its time went
  --record          writes docs/performance.* too; with --profile only the profile in it
  --draw            measures nothing, and writes docs/performance.* from docs/performance.json`;

/** What was asked for. */
export interface Options {
  readonly workloads: readonly Workload[];
  /** Whether start-up, idle memory and install size are measured (W8). */
  readonly startUp: boolean;
  readonly pollers: readonly PollerName[];
  readonly seconds: number;
  readonly warmup: number;
  readonly runs: number;
  readonly dir: string | undefined;
  readonly profile: boolean;
  readonly record: boolean;
  readonly draw: boolean;
  readonly help: boolean;
}

/** Reads the command line. Throws on a word it does not know. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      pollers: { type: "string" },
      seconds: { type: "string", default: "10" },
      warmup: { type: "string", default: "15" },
      runs: { type: "string", default: "1" },
      dir: { type: "string" },
      profile: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      draw: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const names = values.only?.split(",");
  const pollers = values.pollers?.split(",").map(pollerNamed) ?? POLLERS;
  return {
    ...values,
    workloads: names?.filter((name) => name !== "W8").map(workloadNamed) ?? WORKLOADS,
    startUp: names?.includes("W8") ?? !values.profile,
    pollers: values.profile ? ["edgepoll"] : pollers,
    seconds: positive("--seconds", values.seconds),
    warmup: positive("--warmup", values.warmup),
    runs: positive("--runs", values.runs),
    dir: values.dir,
  };
}

function workloadNamed(name: string): Workload {
  const found = [...WORKLOADS, ONE, SMOKE].find((workload) => workload.name === name);
  if (found === undefined) throw new Error(`there is no workload ${name}; see --help`);
  return found;
}

function pollerNamed(name: string): PollerName {
  const found = POLLERS.find((poller) => poller === name);
  if (found === undefined) throw new Error(`there is no poller ${name}; see --help`);
  return found;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${option} takes a number above 0, not ${text}`);
  return value;
}
