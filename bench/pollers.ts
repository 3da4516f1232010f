/** The pollers that are compared, each a process of its own on a core of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gatewayOf, type Workload } from "./workloads.ts";

/** Names of the pollers. */
export const POLLERS = ["edgepoll", "least", "spread", "plain"] as const;
export type PollerName = (typeof POLLERS)[number];

/** What a poller is started with. */
export interface Assignment {
  readonly workload: Workload;
  /** Ports of the devices, in the order of the gateways. */
  readonly ports: readonly number[];
  readonly broker: string;
  /** Holds its configuration and state; made anew. */
  readonly directory: string;
  /** Where sockets go: a short path. */
  readonly runtime: string;
  /** The core it runs on; any when undefined. */
  readonly core: number | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of Node.js itself. */
  readonly nodeArguments?: readonly string[];
}

/** A poller that runs. */
export interface Poller {
  readonly pid: number;
  /** From its start until it said that it was ready, in ms. */
  readonly ready: number;
  /** When it was started: CLOCK_MONOTONIC, in ms. */
  readonly started: number;
  /** Rejects when it ends without having been told to, with what it said. */
  readonly died: Promise<never>;
  /** SIGTERM, and settles when it is gone. */
  stop(): Promise<void>;
}

/** The program under test. */
export const EDGEPOLL = fileURLToPath(new URL("../bin/edgepoll.js", import.meta.url));
const STDERR = "stderr.txt";
const PLAIN_LOOP = fileURLToPath(new URL("plain-loop.js", import.meta.url));
const LEAST_LOOP = fileURLToPath(new URL("least-loop.js", import.meta.url));

/** CLOCK_MONOTONIC in ms. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Starts a poller and settles when it says that it is ready; rejects when it ends before. */
export async function startPoller(name: PollerName, assignment: Assignment): Promise<Poller> {
  mkdirSync(assignment.directory, { recursive: true });
  const words = WORDS[name](assignment);
  const started = monotonic();
  const child = run(words, assignment);
  const gone = once(child, "exit");
  const end = (): boolean => child.kill("SIGKILL");
  process.once("exit", end);
  void gone.then(() => process.off("exit", end));
  if (child.stdout === null) throw new Error("the poller has no output");
  const died = gone.then(([code, signal]) => {
    const said = readFileSync(join(assignment.directory, STDERR), "utf8").slice(-2000);
    throw new Error(`${name} has ended (${String(code ?? signal)}):\n${said}`);
  });
  // It may end when it was told to.
  died.catch(() => undefined);
  await Promise.race([once(createInterface({ input: child.stdout }), "line"), died]);
  return {
    // It has run, so it has one.
    pid: child.pid ?? 0,
    ready: monotonic() - started,
    started,
    died,
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
    },
  };
}

const WORDS: Readonly<Record<PollerName, (assignment: Assignment) => string[]>> = {
  edgepoll: edgepollWords,
  least: (assignment) => gridWords(assignment, join(assignment.directory, "database")),
  spread: (assignment) => gridWords(assignment, undefined),
  plain: plainWords,
};

function run(words: readonly string[], assignment: Assignment): ChildProcess {
  const { core, directory, runtime, env, nodeArguments = [] } = assignment;
  const all = [process.execPath, ...nodeArguments, ...words];
  const [file = "", ...args] = core === undefined ? all : ["taskset", "-c", String(core), ...all];
  return spawn(file, args, {
    stdio: ["ignore", "pipe", openSync(join(directory, STDERR), "w")],
    env: { ...process.env, ...env, RUNTIME_DIRECTORY: runtime },
  });
}

/** Everything not said here is edgepoll's default. */
function edgepollWords({ workload, ports, broker, directory }: Assignment): string[] {
  const { interval, timeout, maxGap, points } = workload;
  const device = {
    id: "unit",
    unitId: 1,
    ...(maxGap === undefined ? {} : { merge: { maxGap } }),
    points: points.map((point) => ({ ...point, table: "holding" })),
  };
  const gateways = ports.map((port, n) => ({
    id: gatewayOf(n),
    connection: `tcp://127.0.0.1:${String(port)}`,
    interval: `${String(interval)}ms`,
    ...(timeout === undefined ? {} : { timeout: `${String(timeout)}ms` }),
    devices: [device],
  }));
  const config = join(directory, "edgepoll.yaml");
  const stateDir = join(directory, "state");
  writeFileSync(config, JSON.stringify({ node: "bench", stateDir, mqtt: { broker }, gateways }));
  return [EDGEPOLL, "start", "--node", "--json", "--config", config, "--state-dir", stateDir];
}

function plainWords({ workload, ports, broker, directory }: Assignment): string[] {
  const gateways = ports.map((port, n) => ({ id: gatewayOf(n), port }));
  return [PLAIN_LOOP, taskFile(directory, { ...loopOf(workload), broker, gateways })];
}

function gridWords(
  { workload, ports, broker, directory }: Assignment,
  database: string | undefined,
): string[] {
  const gateways = ports.map((port, n) => ({ id: gatewayOf(n), port }));
  return [LEAST_LOOP, taskFile(directory, { ...loopOf(workload), broker, database, gateways })];
}

function loopOf({ interval, timeout = 1000, reads }: Workload): object {
  return { interval, timeout, reads };
}

function taskFile(directory: string, task: object): string {
  const file = join(directory, "task.json");
  writeFileSync(file, JSON.stringify(task));
  return file;
}
