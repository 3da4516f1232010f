/** The program under test: edgepoll in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../bin/edgepoll.js", import.meta.url));

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A node that was started. */
export interface NodeProcess {
  readonly pid: number;
  /** Settles when it says that it runs; rejects when it ends before. */
  readonly started: Promise<void>;
  readonly exit: Promise<Exit>;
  /** What it wrote to stdout and stderr so far. */
  output(): string;
  /** Settles when its output fits; rejects when it ends before. */
  said(pattern: RegExp): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; settles when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; settles when it is gone, with its exit code. */
  stop(): Promise<number | null>;
}

/** The files of a node: configuration and state directory. */
export interface NodeFiles {
  readonly config: string;
  readonly stateDir: string;
}

/** Writes a configuration into a directory; YAML takes JSON as it is. The state directory lies beside it. */
export function writeSite(directory: string, site: object): NodeFiles {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, "edgepoll.yaml");
  const stateDir = join(directory, "state");
  writeFileSync(config, JSON.stringify({ stateDir, ...site }, undefined, 1));
  return { config, stateDir };
}

/** As whom, and in which environment, a node runs; default: as the test itself. */
export interface NodeSurroundings {
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the program, such as those of `unshare`, that become it. */
  readonly before?: readonly string[];
}

/** Starts a node; it is killed at the end of the test at the latest. `nodeArguments` are those of Node.js, such as `--cpu-prof`. */
export function startNode(
  test: Pick<TestContext, "after">,
  files: NodeFiles,
  surroundings: NodeSurroundings = {},
  nodeArguments: readonly string[] = [],
): NodeProcess {
  const { config, stateDir } = files;
  const args = ["start", "--node", "--json", "--config", config, "--state-dir", stateDir];
  return startProgram(test, files, [...nodeArguments, PROGRAM, ...args], surroundings);
}

/** Starts a program of Node.js that behaves as a node; it is killed at the end of the test at the latest. */
export function startProgram(
  test: Pick<TestContext, "after">,
  { config }: NodeFiles,
  args: readonly string[],
  { env = {}, before = [], ...user }: NodeSurroundings = {},
): NodeProcess {
  const [program, ...words] = [...before, process.execPath];
  const child = spawn(program, [...words, ...args], {
    ...user,
    stdio: ["ignore", "pipe", "pipe"],
    // Where the control socket lies; the user's own must stay out of it.
    env: { ...process.env, RUNTIME_DIRECTORY: join(config, ".."), ...env },
  });
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const look of listeners) look();
    });
  }
  const exit = once(child, "close").then(([code, signal]): Exit => ({ code, signal }));
  const said = (pattern: RegExp): Promise<void> => {
    const heard = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!pattern.test(output)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
    const ended = exit.then(() => Promise.reject(new Error(`the node has ended:\n${output}`)));
    return Promise.race([heard, ended]);
  };
  const started = said(/^\{"unknown".*\}$/m);
  // Not every test waits for it.
  started.catch(() => undefined);
  const end = async (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return exit;
  };
  test.after(async () => {
    await end("SIGKILL");
  });
  return {
    pid: child.pid ?? 0,
    started,
    exit,
    output: () => output,
    said,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      await end("SIGKILL");
    },
    stop: async () => (await end("SIGTERM")).code,
  };
}
