/** One port of the slave: its connections, and the faults it plays. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { AnswerFault, Fault, FaultScript } from "../../src/core/fault.ts";
import { answerTo, frameLength, requestOf, wrongAnswerTo, type Request } from "./slave-answers.ts";
import { Scripts } from "./slave-script.ts";
import type { LogLine } from "./slave.ts";

type Unplaced<Line> = Line extends unknown ? Omit<Line, "t" | "lag" | "port"> : never;

/** Writes a line of the log. */
export type Log = (line: Unplaced<LogLine>, port: number) => void;

let lastConnection = 0;

/** The simulated devices behind one port. */
export class SlavePort {
  readonly #log: Log;
  readonly #server: Server;
  readonly #scripts: Scripts;
  /** Newest last. */
  readonly #sockets = new Set<Socket>();
  #number = 0;
  #serial = 0;
  /** Settles when the port behaves as its scripts say. */
  #applied: Promise<void> = Promise.resolve();
  /** What to send when a fault ends. */
  #held: (() => void)[] = [];
  /** Those who wait for the request of that number. */
  #waiting: { readonly serial: number; readonly done: () => void }[] = [];

  constructor(log: Log) {
    this.#log = log;
    this.#scripts = new Scripts(() => {
      for (const send of this.#held.splice(0)) send();
      this.#applied = this.#applied.then(() => this.#apply());
    });
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#accept(socket);
    });
  }

  /** Listens on a free port, or on the one it had; settles with its number. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#number, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    // A TCP server's address is never the text that a pipe's is.
    this.#number = (this.#server.address() as AddressInfo).port;
    return this.#number;
  }

  /** Begins a script and settles when the port behaves so. */
  async play(script: FaultScript): Promise<void> {
    this.#scripts.begin(script);
    await this.#applied;
  }

  /** Settles when so many requests have come. */
  async received(serial: number): Promise<void> {
    if (this.#serial >= serial) return;
    await new Promise<void>((done) => this.#waiting.push({ serial, done }));
  }

  #accept(socket: Socket): void {
    const conn = (lastConnection += 1);
    socket.on("error", () => undefined);
    if (this.#scripts.current.kind === "one-connection" && this.#sockets.size > 0) {
      this.#log({ event: "turned-away", conn }, this.#number);
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    this.#log({ event: "open", conn }, this.#number);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#log({ event: "close", conn }, this.#number);
    });
    socket.on("timeout", () => socket.end());
    this.#listenTo(socket, conn);
    this.#govern(socket);
  }

  #listenTo(socket: Socket, conn: number): void {
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const end = frameLength(rest);
        if (end === undefined || rest.length < end) return;
        this.#take(socket, conn, rest.subarray(0, end));
        rest = rest.subarray(end);
      }
    });
  }

  /** Lets the fault of the port act. */
  async #apply(): Promise<void> {
    if (this.#scripts.current.kind === "refuse") {
      for (const socket of this.#sockets) socket.destroy();
      if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
    } else if (!this.#server.listening) {
      await this.listen();
    }
    for (const socket of this.#sockets) this.#govern(socket);
  }

  /** Lets it act on a connection. */
  #govern(socket: Socket): void {
    const { current } = this.#scripts;
    if (current.kind === "stall") socket.pause();
    else socket.resume();
    socket.setTimeout(current.kind === "close-idle" ? current.ms : 0);
  }

  #take(socket: Socket, conn: number, frame: Buffer): void {
    this.#serial += 1;
    const request = requestOf(frame, this.#serial);
    this.#log({ event: "request", conn, ...request, raw: frame.toString("hex") }, this.#number);
    for (const { serial, done } of this.#waiting) if (serial === request.serial) done();
    this.#waiting = this.#waiting.filter(({ serial }) => serial > request.serial);
    this.#respond(socket, request, this.#scripts.take(request));
  }

  #respond(socket: Socket, request: Request, fault: Fault): void {
    const good = answerTo(request);
    switch (fault.kind) {
      case "silent":
        return;
      case "delay":
        setTimeout(() => socket.write(good), fault.ms + Math.random() * (fault.jitter ?? 0));
        return;
      case "late":
        setTimeout(() => {
          this.#writeSomewhere(socket, good);
        }, fault.ms);
        return;
      case "hold":
        this.#held.push(() => {
          this.#writeSomewhere(socket, good);
        });
        return;
      case "unasked":
        socket.write(good);
        this.#held.push(() => socket.write(Buffer.alloc(8)));
        return;
      case "close":
        socket.end(partOf(good, fault.at));
        return;
      case "rst":
        // The bytes are on their way before the reset is.
        socket.write(partOf(good, fault.at), () => {
          socket.resetAndDestroy();
        });
        return;
      case "split":
        void dribble(socket, good);
        return;
      case "refuse":
      case "stall":
      case "one-connection":
      case "close-idle":
        socket.write(good);
        return;
      default:
        socket.write(wrongAnswerTo(request, fault));
    }
  }

  /** A device that mixes up its connections: who gave up still gets the answer on the newest one. */
  #writeSomewhere(socket: Socket, answer: Buffer): void {
    (socket.destroyed ? [...this.#sockets].at(-1) : socket)?.write(answer);
  }
}

function partOf(frame: Buffer, at: Extract<AnswerFault, { at: string }>["at"]): Buffer {
  if (at === "before") return Buffer.alloc(0);
  return at === "middle" ? frame.subarray(0, frame.length >> 1) : frame;
}

async function dribble(socket: Socket, frame: Buffer): Promise<void> {
  for (const byte of frame) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
