/** The link to a Modbus TCP endpoint. */
import type { LookupFunction } from "node:net";
import type { Answer, Clock, Link, Random, ReadRequest } from "../core/ports.ts";
import { Backoff } from "./backoff.ts";
import { Connection, type Failure } from "./connection.ts";
import type { Found, Names } from "./names.ts";

/** ms that a device has to close its side. */
const RELEASE_DEADLINE = 500;
/** Within the second that `Link.close` may take. */
const CLOSE_DEADLINE = 500;

/** Where a link goes, and what it needs. */
export interface TcpLinkOptions {
  readonly host: string;
  readonly port: number;
  /** Longest wait between failed connects, ms. */
  readonly maxBackoff: number;
  /** ms that a device needs after a connect before it is asked. */
  readonly afterConnect?: number;
  readonly names: Names;
  readonly clock: Clock;
  readonly random: Random;
}

/** A link to a Modbus TCP endpoint; connects at the first read, and again when a read finds it lost. */
export function openTcpLink(options: TcpLinkOptions): Link {
  return new TcpLink(options);
}

/** Owns at most one socket: the next connect waits until the old one is closed. */
class TcpLink implements Link {
  readonly #options: TcpLinkOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  /** The last connection made; ended ones stay until their socket is closed. */
  #connection: Connection | undefined;
  #connecting = false;
  #lookingUp = false;
  #closed = false;
  #nextId: number;

  constructor(options: TcpLinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#backoff = new Backoff(options.maxBackoff, options.random);
    this.#nextId = Math.floor(options.random() * 0x10000);
  }

  read(request: ReadRequest, timeout: number): Promise<Answer> {
    if (this.#connection?.isOpen) return this.#connection.ask(request, timeout);
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.resolve(this.#connectFailed(refusal));
    return this.#connectAndAsk(request, timeout);
  }

  release(): void {
    this.#connection?.release(RELEASE_DEADLINE);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#connection) return;
    this.#connection.end("the link was closed");
    await this.#within(this.#connection.closed, CLOSE_DEADLINE);
  }

  /** Why no connect may begin now. */
  #refusal(): string | undefined {
    if (this.#connecting) return "another request is in flight";
    const { host, names } = this.#options;
    if (this.#lookingUp && !names.last(host)) return `${host} is still being looked up`;
    const reason = this.#backoff.reasonAt(this.#clock.elapsed());
    return reason === undefined ? undefined : `in back-off after: ${reason}`;
  }

  async #connectAndAsk(request: ReadRequest, timeout: number): Promise<Answer> {
    this.#connecting = true;
    const failure = await this.#connect(timeout);
    if (failure === undefined) await this.#pauseAfterConnect();
    this.#connecting = false;
    if (failure !== undefined) return this.#connectFailed(failure);
    return this.#connection?.ask(request, timeout) ?? this.#connectFailed("connection lost");
  }

  /** Settles with the reason when there is no connection after `timeout` ms. */
  async #connect(timeout: number): Promise<string | undefined> {
    const deadline = this.#clock.elapsed() + timeout;
    const old = this.#connection;
    if (old && !(await this.#within(old.closed, timeout))) return "the old socket does not close";
    if (this.#closed) return "the link was closed";
    const { host, port, clock } = this.#options;
    const left = Math.max(1, deadline - clock.elapsed());
    const options = { host, port, clock, lookup: this.#lookup, nextId: this.#takeId };
    const connection = new Connection(options, left);
    this.#connection = connection;
    const failure = await connection.connected();
    if (failure === undefined) this.#backoff.clear();
    else this.#backoff.failed(clock.elapsed(), failure);
    return failure;
  }

  /** Ends early with its connection. */
  async #pauseAfterConnect(): Promise<void> {
    const { afterConnect = 0 } = this.#options;
    if (afterConnect > 0 && this.#connection) {
      await this.#within(this.#connection.closed, afterConnect);
    }
  }

  /** Goes on from connection to connection, so that an answer from an old one never fits a new one. */
  readonly #takeId = (): number => {
    const id = this.#nextId;
    this.#nextId = (id + 1) & 0xffff;
    return id;
  };

  /** While an earlier lookup is without an answer, the last addresses are all there is. */
  readonly #lookup: LookupFunction = (host, options, found) => {
    const { names } = this.#options;
    const answer: Found = (error, addresses) => {
      const [first] = addresses;
      if (first === undefined) found(error ?? new Error(`${host} has no address`), "");
      else if (options.all === true) found(null, [...addresses]);
      else found(null, first.address, first.family);
    };
    if (this.#lookingUp) {
      answer(null, names.last(host) ?? []);
      return;
    }
    this.#lookingUp = true;
    names.find(host, (error, addresses) => {
      this.#lookingUp = false;
      answer(error, addresses);
    });
  };

  /** Whether `event` settles within `wait` ms. */
  #within(event: Promise<void>, wait: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.timer(Math.ceil(wait), () => {
        resolve(false);
      });
      void event.then(() => {
        cancel();
        resolve(true);
      });
    });
  }

  #connectFailed(detail: string): Failure {
    const endedAt = this.#clock.elapsed();
    return { ok: false, reason: "connect_failed", detail, sentAt: null, endedAt };
  }
}
