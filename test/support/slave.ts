/** Starts and steers the independent Modbus slave (`slave-process.ts`). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** How a port behaves. `ms` are counted from the request. */
export type Fault =
  | {
      readonly kind:
        | "normal"
        /** Reads and logs, never answers. */
        | "silent"
        /** Drops its connections and listens no more, until another fault (or `normal`) is set. */
        | "refuse"
        /** FIN instead of an answer. */
        | "close"
        /** RST instead of an answer. */
        | "rst"
        /** The right answer, then FIN. */
        | "answer-close"
        /** Answers when the fault is changed; on the port's newest connection if the old one is gone. */
        | "hold"
        /** The right answer, and eight bytes more when the fault is changed. */
        | "unasked"
        | "wrong-tid"
        | "wrong-protocol"
        | "wrong-unit"
        | "wrong-function"
        /** One register, whatever was asked, in a frame that is right in itself. */
        | "wrong-bytecount"
        /** The first half of the answer, then nothing. */
        | "truncated"
        /** The right answer, one byte a millisecond. */
        | "split"
        /** The right answer with 20 bytes behind it, in one piece. */
        | "extra"
        /** The right answer twice, in one piece. */
        | "duplicate";
    }
  | { readonly kind: "delay"; readonly ms: number }
  /** As `delay`; if the connection is gone by then, the answer goes out on the port's newest one. */
  | { readonly kind: "late"; readonly ms: number }
  | { readonly kind: "exception"; readonly code: number }
  /** `hex` instead of an answer; by default a frame with everything wrong. */
  | { readonly kind: "garbage"; readonly hex?: string };

/** One line of the log; `t` is CLOCK_MONOTONIC in ns, `conn` numbers the connections of all ports. */
export type LogLine = { readonly t: string; readonly port: number; readonly conn: number } & (
  | RequestFields
  | { readonly event: "open" | "close" }
);

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
  | { readonly op: "fault"; readonly fault: Fault }
  | { readonly op: "received"; readonly serial: number };

/** A running slave process. */
export interface Slave {
  readonly ports: readonly number[];
  /** Settles when the port behaves so; holds until the next call. */
  fault(port: number, fault: Fault): Promise<void>;
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

  function read(): LogLine[] {
    const text = readFileSync(options.logFile, "utf8").trim();
    // Written by the process, which has the type.
    return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as LogLine);
  }

  return {
    ports,
    fault: (port, fault) => tell(port, { op: "fault", fault }),
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
