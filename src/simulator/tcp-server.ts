/** Simulated units behind a real Modbus/TCP server. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { AnswerFault, FaultScript, PortFault } from "../core/fault.ts";
import type { Clock, Random } from "../core/ports.ts";
import { takeFrames, type Frame } from "./frames.ts";
import { listenError } from "./listen-error.ts";
import { exceptionTo, rangeOf } from "./pdu.ts";
import { Postbox } from "./postbox.ts";
import { Scripts } from "./script.ts";
import { tcpOutgoing } from "./tcp-faults.ts";
import type { Units } from "./units.ts";

/** What to simulate, and where. */
export interface SimulatorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly units: Units;
  readonly clock: Clock;
  /** For what a script leaves to chance. */
  readonly random?: Random;
  readonly scripts?: readonly FaultScript[];
}

/** What a simulator has done so far. */
export interface Counts {
  /** Requests that came, those left without an answer included. */
  readonly requests: number;
  /** Those of them that met a fault. */
  readonly faults: number;
}

/** A running simulator. */
export interface Simulator {
  readonly port: number;
  counts(): Counts;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 16;
/** Bytes of answers that a client may leave unread. */
const MAX_UNREAD = 65_536;
/** What a gateway says of a unit that does not answer it (Modbus Application Protocol 7). */
const NO_SUCH_UNIT = 11;
/** ms until a port that somebody took meanwhile is tried again. */
const RETRY = 1000;

/**
 * Starts a simulator.
 *
 * Throws `PORT_TAKEN`, `ADDRESS_UNAVAILABLE` or `PERMISSION`.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const simulator = new TcpSimulator(options);
  await simulator.open();
  return simulator;
}

class TcpSimulator implements Simulator {
  readonly #options: SimulatorOptions;
  readonly #server: Server;
  readonly #scripts: Scripts<AnswerFault | PortFault>;
  readonly #postbox: Postbox;
  /** Newest last. */
  readonly #sockets = new Set<Socket>();
  #port: number;
  #requests = 0;
  #faults = 0;
  #isClosed = false;
  #cancelRetry: () => void = () => undefined;

  constructor(options: SimulatorOptions) {
    const { clock, port, scripts = [] } = options;
    this.#options = options;
    this.#port = port;
    this.#postbox = new Postbox(clock);
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#accept(socket);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    // Stays for good: later errors (no file handles for a new connection) must not end the process.
    this.#server.on("error", () => undefined);
    this.#scripts = new Scripts<AnswerFault | PortFault>(scripts, clock, () => {
      this.#postbox.release();
      this.#govern();
    });
  }

  get port(): number {
    return this.#port;
  }

  counts(): Counts {
    return { requests: this.#requests, faults: this.#faults };
  }

  async open(): Promise<void> {
    try {
      this.#port = await listen(this.#server, this.#options.host, this.#port);
    } catch (error) {
      this.#scripts.stop();
      throw error;
    }
    this.#govern();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#scripts.stop();
    this.#postbox.close();
    return new Promise((resolve) => {
      // An error only says that it was closed before.
      this.#server.close(() => {
        resolve();
      });
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** Lets the fault of the port act. */
  #govern(): void {
    const { kind } = this.#scripts.current;
    if (kind === "refuse") {
      this.#server.close();
      for (const socket of this.#sockets) socket.destroy();
    } else if (!this.#server.listening) {
      this.#listenAgain();
    }
    for (const socket of this.#sockets) this.#restrain(socket);
  }

  #listenAgain(): void {
    if (this.#isClosed) return;
    listen(this.#server, this.#options.host, this.#port).catch(() => {
      if (this.#isClosed) return;
      this.#cancelRetry = this.#options.clock.timer(RETRY, () => {
        this.#govern();
      });
    });
  }

  /** Lets it act on a connection. */
  #restrain(socket: Socket): void {
    const { current } = this.#scripts;
    if (current.kind === "stall") socket.pause();
    else socket.resume();
    socket.setTimeout(current.kind === "close-idle" ? current.ms : 0);
  }

  #accept(socket: Socket): void {
    // A client may go at any time; "close" follows and does the rest.
    socket.on("error", () => undefined);
    if (this.#scripts.current.kind === "one-connection" && this.#sockets.size > 0) {
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("timeout", () => socket.end());
    this.#serve(socket);
    this.#restrain(socket);
  }

  #serve(socket: Socket): void {
    let waiting: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      const taken = takeFrames(Buffer.concat([waiting, chunk]));
      if (!taken) return void socket.destroy();
      waiting = taken.rest;
      for (const frame of taken.frames) {
        if (socket.writableLength > MAX_UNREAD) return void socket.destroy();
        this.#answer(socket, frame);
      }
    });
  }

  #answer(socket: Socket, request: Frame): void {
    const { unitId, pdu } = request;
    this.#requests++;
    const fault = this.#scripts.take({ unitId, range: rangeOf(pdu) });
    if (fault.kind !== "normal") this.#faults++;
    const right = this.#options.units.answer(unitId, pdu) ?? exceptionTo(pdu, NO_SUCH_UNIT);
    const { random = () => 0 } = this.#options;
    const { pieces, ending, wanders } = tcpOutgoing(request, right, answerFault(fault), random);
    this.#postbox.post(pieces, (bytes) => {
      const isGone = wanders === true && socket.destroyed;
      const target = isGone ? [...this.#sockets].at(-1) : socket;
      if (target?.writable !== true) return;
      // The bytes are on their way before the reset is.
      target.write(bytes, () => {
        if (ending === "reset") socket.resetAndDestroy();
      });
    });
    if (ending === "end") socket.end();
  }
}

/** Under a fault of the port every answer that goes out is right. */
function answerFault(fault: AnswerFault | PortFault): AnswerFault {
  switch (fault.kind) {
    case "refuse":
    case "stall":
    case "one-connection":
    case "close-idle":
      return { kind: "normal" };
    default:
      return fault;
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(listenError(error, host, port));
    };
    server.once("error", failed);
    server.listen({ host, port }, () => {
      server.off("error", failed);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}
