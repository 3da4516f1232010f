/** A link that connects when it is needed, and never has two connections. */
import type { Answer, Clock, Link, Random, ReadRequest, WriteRequest } from "../core/ports.ts";
import { Backoff } from "./backoff.ts";
import type { Connection, Failure, Request } from "./connection.ts";
import { identify, type Identification, type Unidentified } from "./identification.ts";
import type { Line } from "./line.ts";

/** ms that a device has to close its side. */
const RELEASE_DEADLINE = 500;
/** Within the second that `Link.close` may take. */
const CLOSE_DEADLINE = 500;

/** What a link needs. */
export interface LinkOptions {
  /** Longest wait between failed connects, ms. */
  readonly maxBackoff: number;
  /** ms that a device needs after a connect before it is asked. */
  readonly afterConnect?: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** How a link comes to its connections. */
export interface Way {
  /** Begins to connect, for at most so many ms. */
  connect(timeout: number): Connection;
  /** Why that may not begin now. */
  refusal?(): string | undefined;
  /** What is known of a line, where answers carry no ids. */
  readonly line?: Pick<Line, "strange" | "isSilent"> | undefined;
  /** What is said of a connection that does not close. */
  readonly stuck: string;
}

/** Owns at most one connection: the next connect waits until the old one is closed. */
export class ConnectingLink implements Link {
  readonly #way: Way;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #afterConnect: number;
  /** The last connection made; ended ones stay until their socket is closed. */
  #connection: Connection | undefined;
  #connecting = false;
  #closed = false;

  constructor(way: Way, { clock, maxBackoff, random, afterConnect = 0 }: LinkOptions) {
    this.#way = way;
    this.#clock = clock;
    this.#backoff = new Backoff(maxBackoff, random);
    this.#afterConnect = afterConnect;
  }

  /** Whether nobody after us can take an answer to us for his own. */
  get isSilent(): boolean {
    return this.#way.line?.isSilent ?? true;
  }

  read(request: ReadRequest, timeout: number): Promise<Answer> {
    return this.#ask(request, timeout);
  }

  write(request: WriteRequest, timeout: number): Promise<Answer> {
    return this.#ask(request, timeout);
  }

  /** Asks a unit what it is, page by page; `timeout` (ms) as for a read, for each page. Never rejects. */
  identify(unitId: number, timeout: number): Promise<Identification | Unidentified<Failure>> {
    return identify(async (object) => {
      const answer = await this.#ask({ unitId, object }, timeout);
      return answer.ok ? { ok: true, pdu: Uint8Array.from(answer.words) } : answer;
    });
  }

  #ask(request: Request, timeout: number): Promise<Answer> {
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
    const refusal = this.#way.refusal?.();
    if (refusal !== undefined) return refusal;
    const reason = this.#backoff.reasonAt(this.#clock.elapsed());
    return reason === undefined ? undefined : `in back-off after: ${reason}`;
  }

  async #connectAndAsk(request: Request, timeout: number): Promise<Answer> {
    this.#connecting = true;
    const failure = await this.#connect(timeout);
    if (failure === undefined) await this.#pauseAfterConnect(timeout);
    this.#connecting = false;
    if (failure !== undefined) return this.#connectFailed(failure);
    return this.#connection?.ask(request, timeout) ?? this.#connectFailed("connection lost");
  }

  /** Settles with the reason when there is no connection after `timeout` ms. */
  async #connect(timeout: number): Promise<string | undefined> {
    const deadline = this.#clock.elapsed() + timeout;
    const old = this.#connection;
    if (old && !(await this.#within(old.closed, timeout))) return this.#way.stuck;
    if (this.#closed) return "the link was closed";
    const connection = this.#way.connect(Math.max(1, deadline - this.#clock.elapsed()));
    this.#connection = connection;
    const failure = await connection.connected();
    if (failure === undefined) this.#backoff.clear();
    else this.#backoff.failed(this.#clock.elapsed(), failure);
    return failure;
  }

  /** Ends early with its connection. */
  async #pauseAfterConnect(timeout: number): Promise<void> {
    const pause = Math.max(this.#afterConnect, this.#way.line?.strange(timeout) ?? 0);
    if (pause > 0 && this.#connection) await this.#within(this.#connection.closed, pause);
  }

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
