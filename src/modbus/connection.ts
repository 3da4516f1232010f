/** One TCP connection, from its connect to its end; never used again after that. */
import { connect, type LookupFunction, type Socket } from "node:net";
import { messageOf } from "../core/errors.ts";
import type { Answer, Clock, ReadRequest } from "../core/ports.ts";
import { createClient, exceptionOf, wordsOf, writeRead, type Client, type Parsed } from "./pdu.ts";
import { StrictPort } from "./strict-port.ts";

const KEEP_ALIVE_AFTER = 10_000;
/** More than any answer takes. */
const READ_BUFFER = 512;
const CLOSED_BY_DEVICE = "connection closed by the device before it answered";

/** An answer that is none. */
export type Failure = Extract<Answer, { ok: false }>;

/** Where a connection goes, and what it needs. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** Resolves a host that is a name. */
  readonly lookup: LookupFunction;
  /** Gives the transaction id of the next request, 0 to 65535. */
  readonly nextId: () => number;
}

/** A connection is its own generation: callbacks of its socket reach nothing but this object. */
export class Connection {
  /** Settles when the socket has emitted `close`. */
  readonly closed: Promise<void>;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #port: StrictPort;
  readonly #client: Client;
  #state: "connecting" | "open" | "ended" = "connecting";
  #connected: ((failure: string | undefined) => void) | undefined;
  #settle: ((answer: Answer) => void) | undefined;
  #request: ReadRequest | undefined;
  #timeout: number;
  #sentAt: number | null = null;
  #cancelTimer: (() => void) | undefined;

  /** Begins to connect, for at most `timeout` ms. */
  constructor(options: ConnectionOptions, timeout: number) {
    this.#clock = options.clock;
    this.#timeout = timeout;
    this.#port = new StrictPort({
      nextId: options.nextId,
      send: (frame) => {
        this.#sentAt = this.#clock.elapsed();
        this.#socket.write(frame);
      },
      doubt: (detail) => {
        this.#end("bad_frame", detail);
      },
    });
    this.#client = createClient(this.#port);
    this.#client.on("error", (error) => {
      this.#end("bad_frame", messageOf(error));
    });
    this.#socket = this.#open(options);
    this.closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#cancelTimer = this.#clock.timer(Math.ceil(timeout), this.#expire);
  }

  /** Whether requests can be sent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Settles when connected, or with the reason why not; to be called once, right after `new`. */
  connected(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  /** Sends a read and settles with what came of it within `timeout` ms; never rejects. */
  ask(request: ReadRequest, timeout: number): Promise<Answer> {
    return new Promise((resolve) => {
      if (this.#state !== "open" || this.#settle) {
        const why = this.#settle ? "another request is in flight" : "connection lost at once";
        resolve(this.#failure("connect_failed", why, null));
        return;
      }
      this.#settle = resolve;
      this.#request = request;
      this.#timeout = timeout;
      this.#sentAt = null;
      try {
        writeRead(this.#client, request, this.#parsed);
        this.#cancelTimer = this.#clock.timer(Math.ceil(timeout), this.#expire);
      } catch (error) {
        this.#end("bad_frame", `the request could not be built: ${messageOf(error)}`);
      }
    });
  }

  /** Closes the connection in good order, and with a reset should the device not close its side within `patience` ms. */
  release(patience: number): void {
    if (this.#state !== "open" || this.#settle) return;
    this.#state = "ended";
    this.#port.isOpen = false;
    const cancel = this.#clock.timer(patience, () => this.#socket.resetAndDestroy());
    void this.closed.then(cancel);
    this.#socket.end();
  }

  /** Ends the connection: a request in flight ends as `timeout`, a connect under way has failed. */
  end(detail: string): void {
    this.#end("timeout", detail);
  }

  #open({ host, port, lookup }: ConnectionOptions): Socket {
    const socket = connect({
      host,
      port,
      lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_AFTER,
      // Of a name with several addresses the second must get its chance within the deadline.
      autoSelectFamilyAttemptTimeout: Math.max(10, Math.ceil(this.#timeout / 2)),
      onread: {
        buffer: Buffer.allocUnsafe(READ_BUFFER),
        callback: (count, buffer) => {
          if (this.isOpen) this.#port.receive(buffer.subarray(0, count));
          return this.isOpen;
        },
      },
    });
    socket.once("connect", () => {
      this.#opened();
    });
    socket.on("error", (error) => {
      this.#lost(error);
    });
    socket.once("end", () => {
      this.#end("timeout", CLOSED_BY_DEVICE);
    });
    return socket;
  }

  #opened(): void {
    if (this.#state !== "connecting") return;
    this.#cancelTimer?.();
    this.#state = "open";
    this.#connected?.(undefined);
  }

  /** What came has passed the strict port; this is what the library makes of it. */
  readonly #parsed: Parsed = (error, result) => {
    const request = this.#request;
    if (!this.#settle || !request) return;
    const exception = exceptionOf(error);
    if (!error && result) {
      const words = wordsOf(request, result.buffer);
      const endedAt = this.#clock.elapsed();
      this.#finish({ ok: true, words, sentAt: this.#sentAt ?? endedAt, endedAt });
    } else if (exception !== undefined) {
      const detail = `the device answered with exception ${String(exception)}`;
      this.#finish({ ...this.#failure("exception", detail, this.#sentAt), exception });
    } else {
      this.#end("bad_frame", messageOf(error));
    }
  };

  readonly #expire = (): void => {
    const within = `within ${String(Math.ceil(this.#timeout))} ms`;
    if (this.#state === "connecting") this.#end("connect_failed", `no connection ${within}`);
    else this.#end("timeout", `no answer ${within}`);
  };

  #lost(error: NodeJS.ErrnoException): void {
    const cause = textOf(error);
    if (this.#state === "connecting") this.#end("connect_failed", cause);
    else this.#end("timeout", `${CLOSED_BY_DEVICE} (${cause})`);
  }

  /** The one way out: settles what is pending and frees the socket, whatever the reason. */
  #end(reason: Failure["reason"], detail: string): void {
    if (this.#state === "ended") return;
    const wasOpen = this.#state === "open";
    this.#state = "ended";
    this.#port.isOpen = false;
    // With a reset, what a device answers when it wakes later fails on its side too. A socket
    // still connecting would first finish its connect in order to be reset.
    if (wasOpen) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
    this.#connected?.(detail);
    this.#finish(this.#failure(reason, detail, this.#sentAt));
  }

  #finish(answer: Answer): void {
    this.#cancelTimer?.();
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(answer);
  }

  #failure(reason: Failure["reason"], detail: string, sentAt: number | null): Failure {
    return { ok: false, reason, detail, sentAt, endedAt: this.#clock.elapsed() };
  }
}

/** An error that stands for several (one an address) has no message of its own. */
function textOf(error: NodeJS.ErrnoException): string {
  return error.message || (error.code ?? error.name);
}
