/** A simulated device behind a real Modbus/TCP server. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { messageOf, PermissionError, UnavailableError } from "../core/errors.ts";
import { MODELS } from "../core/models.ts";
import type { Model } from "../core/models.ts";
import type { Clock } from "../core/ports.ts";
import { energyMeter } from "./energy-meter.ts";
import { answerTo, frameBytes, takeFrames } from "./frames.ts";
import type { ImageAt } from "./image.ts";

/** What to simulate, and where. */
export interface SimulatorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** One of `MODELS`. */
  readonly model: string;
  /** Simulators of different seeds show different values. */
  readonly seed: string;
  readonly clock: Clock;
}

/** A running simulator. */
export interface Simulator {
  readonly port: number;
  /** Requests answered so far, exceptions included. */
  requests(): number;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

const DEVICES: Readonly<Record<Model, (seed: string) => ImageAt>> = {
  "energy-meter": energyMeter,
};
const MAX_CONNECTIONS = 16;
/** Bytes of answers that a client may leave unread. */
const MAX_UNREAD = 65_536;

/**
 * Starts a simulator that answers every unit id with functions 1 to 4.
 *
 * Throws `MODEL_UNKNOWN`, `PORT_TAKEN`, `ADDRESS_UNAVAILABLE` or `PERMISSION`.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const imageAt = deviceOf(options.model, options.seed);
  const sockets = new Set<Socket>();
  let requests = 0;
  const answer = (pdu: Buffer): Buffer => {
    requests++;
    return answerTo(pdu, imageAt(options.clock.elapsed() / 1000));
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, answer);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const port = await listen(server, options);
  return {
    port,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        // An error only says that it was closed before.
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function deviceOf(name: string, seed: string): ImageAt {
  const known = MODELS.find((model) => model === name);
  if (known !== undefined) return DEVICES[known](seed);
  throw new UnavailableError(
    "MODEL_UNKNOWN",
    `There is no simulated device "${name}". Known: ${MODELS.join(", ")}.`,
  );
}

function serve(socket: Socket, answer: (pdu: Buffer) => Buffer): void {
  let waiting: Buffer = Buffer.alloc(0);
  // A client may go at any time; "close" follows and does the rest.
  socket.on("error", () => undefined);
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    const taken = takeFrames(Buffer.concat([waiting, chunk]));
    if (!taken) return void socket.destroy();
    waiting = taken.rest;
    for (const frame of taken.frames) {
      if (socket.writableLength > MAX_UNREAD) return void socket.destroy();
      socket.write(frameBytes({ ...frame, pdu: answer(frame.pdu) }));
    }
  });
}

function listen(server: Server, { host, port }: SimulatorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    // Stays for good: later errors (no file handles for a new connection) must not end the process.
    server.on("error", (error) => {
      reject(listenError(error, host, port));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const place = `port ${String(port)} on ${host}`;
  if (error.code === "EADDRINUSE") {
    const text = `The simulator can't listen: ${place} is taken. Choose another with --port, or --port 0 for any free one.`;
    return new UnavailableError("PORT_TAKEN", text, error);
  }
  if (error.code === "EACCES") {
    const text = `The simulator may not listen to ${place}. Choose one above 1023 with --port.`;
    return new PermissionError("PERMISSION", text, error);
  }
  const text = `The simulator can't listen to ${place}: ${messageOf(error)}. Choose another address with --host.`;
  return new UnavailableError("ADDRESS_UNAVAILABLE", text, error);
}
