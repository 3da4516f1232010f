/** The command line in a process of its own, on files of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createTempDir } from "../support/temp-dir.ts";

/** The program under test. */
export const PROGRAM =
  process.env["E2E_PROGRAM"] ?? fileURLToPath(new URL("../../bin/edgepoll.js", import.meta.url));

/** How a process ended and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs. */
export interface Running {
  /** The next line of stdout that matches; rejects when the process ends before. */
  line(pattern: RegExp): Promise<string>;
  /** The same of stderr, lines that it has written before not counted. */
  note(pattern: RegExp): Promise<string>;
  /** What it wrote so far. */
  stdout(): string;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Files of one test. */
export interface Place {
  readonly directory: string;
  readonly config: string;
  /** The options that name the node. */
  readonly node: readonly string[];
  readonly port: number;
  /** Starts a command. */
  begin(...args: string[]): Running;
  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ended>;
}

/** A directory with a configuration of two simulated meters; `env` is for the commands. */
export async function createPlace(
  test: Pick<TestContext, "after">,
  env: Readonly<Record<string, string>> = {},
): Promise<Place> {
  const children: Running[] = [];
  // Runs before the directory goes: hooks run in the order in which they were made.
  test.after(async () => {
    for (const child of children) child.signal("SIGKILL");
    await Promise.all(children.map(({ ended }) => ended));
  });
  const directory = createTempDir(test);
  const config = join(directory, "edgepoll.yaml");
  const port = await freePort();
  writeFileSync(config, JSON.stringify(siteOf(port)));
  const begin = (...args: string[]) => {
    const child = start(args, directory, env);
    children.push(child);
    return child;
  };
  return {
    ...{ directory, config, port, begin },
    node: ["--config", config, "--state-dir", join(directory, "state")],
    run: (...args) => begin(...args).ended,
  };
}

function siteOf(port: number): object {
  const points = [{ id: "voltage", table: "input", address: 0, type: "float32" }];
  const gateway = (id: string) => ({
    id,
    connection: "simulator://energy-meter",
    interval: "100ms",
    devices: [{ id: "meter", unitId: 1, points }],
  });
  return {
    node: "test",
    mqtt: { broker: "embedded", embedded: { port } },
    gateways: [gateway("hall"), gateway("roof")],
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function start(args: readonly string[], directory: string, env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      // Where the control socket lies; the user's own must stay out of it.
      ...{ RUNTIME_DIRECTORY: directory, NO_COLOR: "1", FORCE_COLOR: undefined },
      ...env,
    },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const lines = createInterface({ input: child.stdout });
  const waiting = new Map<RegExp, (line: string) => void>();
  lines.on("line", (line) => {
    for (const [pattern, found] of waiting) if (pattern.test(line)) found(line);
  });
  const ended = once(child, "close").then(([code]) => {
    return { code: typeof code === "number" ? code : null, stdout, stderr };
  });
  return {
    ended,
    stdout: () => stdout,
    signal: (signal) => void child.kill(signal),
    note: async (pattern) => {
      for await (const line of createInterface({ input: child.stderr })) {
        if (pattern.test(line)) return line;
      }
      throw new Error(`ended without ${String(pattern)}\n${stderr}`);
    },
    line: async (pattern) => {
      const seen = stdout
        .split("\n")
        .slice(0, -1)
        .find((line) => pattern.test(line));
      if (seen !== undefined) return seen;
      const found = new Promise<string>((resolve) => waiting.set(pattern, resolve));
      const over = ended.then(() =>
        Promise.reject(new Error(`ended without ${String(pattern)}\n${stderr}`)),
      );
      return Promise.race([found, over]).finally(() => waiting.delete(pattern));
    },
  };
}
