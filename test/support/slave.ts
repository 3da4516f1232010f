/** Starts and steers the independent Modbus slave (`slave-process.ts`). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Fault, FaultScript, FaultStep } from "../../src/core/fault.ts";

export type { Fault };

/** One line of the log. */
export type LogLine = {
  /** CLOCK_MONOTONIC, ns. */
  readonly t: string;
  /** ms by which the slave may have been late to see it, for the machine was busy. */
  readonly lag: number;
  readonly port: number;
  /** Numbers the connections of all ports. */
  readonly conn: number;
} & (RequestFields | { readonly event: "open" | "close" | "turned-away" });

interface RequestFields {
  readonly event: "request";
  /** Number of the request at its port, from 1; registers 0 and 1 of its answer hold it. */
  readonly serial: number;
  readonly tid: number;
  readonly unit: number;
  readonly fc: number;
  readonly address: number;
  readonly count: number;
  /** The whole frame, hex. */
  readonly raw: string;
}

/** A request as the slave received it. */
export type LoggedRequest = Extract<LogLine, { event: "request" }>;

/** What `slave.ts` tells the process, a line each; it answers with the id when done. */
export type Command = { readonly id: number; readonly port: number } & Order;

type Order =
  | { readonly op: "play"; readonly script: FaultScript }
  | { readonly op: "received"; readonly serial: number };

/** A running slave process. */
export interface Slave {
  readonly ports: readonly number[];
  /** Settles when the port, or one unit of it, behaves so; holds until the next call. */
  fault(port: number, fault: Fault, unit?: number): Promise<void>;
  /** Begins a sequence of faults, after which the port, or the unit, is normal again. */
  script(port: number, steps: readonly FaultStep[], unit?: number): Promise<void>;
  /** Begins a script as a file has it. */
  play(port: number, script: FaultScript): Promise<void>;
  /** Settles when the port has received `serial` requests since its start. */
  received(port: number, serial: number): Promise<void>;
  /** All requests so far, or those of one port, in the order received. */
  log(port?: number): LoggedRequest[];
  /** The connections opened and closed so far at a port, in order. */
  connections(port: number): LogLine[];
  stop(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL("slave-process.ts", import.meta.url));

/** Starts a slave that listens on `ports` ports of the loopback address, and logs to `logFile`. */
export async function startSlave(options: { ports: number; logFile: string }): Promise<Slave> {
  const child = spawn(
    process.execPath,
    [
      "--import",
      import.meta.resolve("ts-blank-space/register"),
      PROGRAM,
      String(options.ports),
      options.logFile,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const died = exited.then(([code]) => {
    throw new Error(`the slave has ended with ${String(code)}`);
  });
  died.catch(() => undefined);
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout });
  const done = new Map<number, () => void>();
  let lastId = 0;
  const first: unknown[] = await Promise.race([once(lines, "line"), died]);
  // The process prints its ports first, and then a line for each command done.
  const { ports } = JSON.parse(String(first[0])) as { ports: number[] };
  lines.on("line", (line) => {
    const { id } = JSON.parse(line) as { id: number };
    done.get(id)?.();
    done.delete(id);
  });

  function tell(port: number, order: Order): Promise<void> {
    const id = (lastId += 1);
    const command: Command = { id, port, ...order };
    const obeyed = new Promise<void>((resolve) => done.set(id, resolve));
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return Promise.race([obeyed, died]);
  }

  const play = (port: number, script: FaultScript): Promise<void> =>
    tell(port, { op: "play", script });
  const script = (port: number, steps: readonly FaultStep[], unit?: number): Promise<void> =>
    play(port, unit === undefined ? { steps } : { unit, steps });

  function read(): LogLine[] {
    const text = readFileSync(options.logFile, "utf8").trim();
    // Written by the process, which has the type.
    return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as LogLine);
  }

  return {
    ports,
    fault: (port, fault, unit) => script(port, [fault], unit),
    script,
    play,
    received: (port, serial) => tell(port, { op: "received", serial }),
    log: (port) =>
      read()
        .filter((line) => line.event === "request")
        .filter((line) => port === undefined || line.port === port),
    connections: (port) => read().filter((line) => line.event !== "request" && line.port === port),
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
