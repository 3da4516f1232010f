/** Starts and steers Modbus RTU units in a process of another language (`line-slave.py`). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { FaultScript, FaultStep, LineFault } from "../../src/core/fault.ts";
import { createTempDir } from "./temp-dir.ts";

export type { LineFault };

const PYTHON = "/usr/bin/python3";
const PROGRAM = fileURLToPath(new URL("line-slave.py", import.meta.url));

/** One line of the log; `t` is CLOCK_MONOTONIC in ns. */
export type LineEvent = { readonly t: number } & (
  | LineRequest
  | { readonly event: "junk"; readonly raw: string }
  | { readonly event: "open" | "close" }
);

/** A request as it came over the line. */
export interface LineRequest {
  readonly event: "request";
  /** Number of the request on the line, from 1; registers 0 and 1 of its answer hold it. */
  readonly serial: number;
  readonly unit: number;
  readonly fc: number;
  readonly address: number;
  readonly count: number;
  readonly raw: string;
  readonly fault: string;
  /** ms of silence before it. */
  readonly gap: number;
}

/** How a line is made. */
export interface LineOptions {
  /** A TCP port in place of a terminal. */
  readonly tcp?: boolean;
  /** Bits a second; without it characters take no time. */
  readonly baud?: number;
}

/** Units on a line. */
export interface LineSlave {
  /** Path of the terminal, a link that is made anew each time the line is plugged in. */
  readonly path: string;
  /** Port, when it is one. */
  readonly port: number;
  /** Settles when all units, or one, behave so. */
  fault(fault: LineFault, unit?: number): Promise<void>;
  /** Begins a sequence of faults, after which all is normal. */
  script(steps: readonly FaultStep<LineFault>[], unit?: number): Promise<void>;
  /** Begins a script as a file has it. */
  play(script: FaultScript<LineFault>): Promise<void>;
  /** Settles when so many requests have come. */
  received(serial: number): Promise<void>;
  /** Puts bytes on the line. */
  send(hex: string): Promise<void>;
  unplug(): Promise<void>;
  /** Plugs it in again as another device, under the same path or another one. */
  plug(path?: string): Promise<void>;
  events(): LineEvent[];
  requests(): (LineRequest & Pick<LineEvent, "t">)[];
  stop(): Promise<void>;
}

/** Starts a line with units; it ends with the test. */
export async function startLineSlave(
  t: Pick<TestContext, "after">,
  { tcp = false, baud = 0 }: LineOptions = {},
): Promise<LineSlave> {
  const directory = createTempDir(t);
  const path = join(directory, "ttyLINE");
  const logFile = join(directory, "line.jsonl");
  const args = [PROGRAM, tcp ? "tcp" : "pty", path, logFile, String(baud), "11"];
  const child = spawn(PYTHON, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const died = exited.then(([code]) => {
    throw new Error(`the line has ended with ${String(code)}`);
  });
  died.catch(() => undefined);
  child.stdin.on("error", () => undefined);
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  t.after(stop);
  const lines = createInterface({ input: child.stdout });
  const [first]: unknown[] = await Promise.race([once(lines, "line"), died]);
  // The process says where it is, and then a line for each command done.
  const { place } = JSON.parse(String(first)) as { place: string | number };
  const done = new Map<number, () => void>();
  lines.on("line", (line) => {
    const { id } = JSON.parse(line) as { id: number };
    done.get(id)?.();
    done.delete(id);
  });
  let lastId = 0;
  const tell = (order: object): Promise<void> => {
    const id = (lastId += 1);
    const obeyed = new Promise<void>((resolve) => done.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ id, ...order })}\n`);
    return Promise.race([obeyed, died]);
  };
  const play = (script: FaultScript<LineFault>): Promise<void> => tell({ op: "play", ...script });
  const script = (steps: readonly FaultStep<LineFault>[], unit?: number): Promise<void> =>
    play(unit === undefined ? { steps } : { unit, steps });
  const events = (): LineEvent[] => {
    const text = readFileSync(logFile, "utf8").trim();
    // Written by the process, which has the type.
    return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as LineEvent);
  };
  return {
    ...{ path, stop, play, script, events },
    port: Number(place),
    fault: (fault, unit) => script([fault], unit),
    received: (serial) => tell({ op: "received", serial }),
    send: (hex) => tell({ op: "send", hex }),
    unplug: () => tell({ op: "unplug" }),
    plug: (link = path) => tell({ op: "plug", link }),
    requests: () => events().filter((event) => event.event === "request"),
  };
}
