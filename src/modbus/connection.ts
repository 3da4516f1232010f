/** One connection, from its opening to its end; never used again after that. */
import { messageOf } from "../core/errors.ts";
import type { Answer, Clock, ReadRequest, WriteRequest } from "../core/ports.ts";
import { pageAdu, type PageRequest } from "./identification.ts";
import type { Line } from "./line.ts";
import { createClient, exceptionOf, send, wordsOf, type Client, type Parsed } from "./pdu.ts";
import type { Port, PortHost } from "./strict-port.ts";
import { textOf, type Dial, type Wire } from "./wire.ts";

/** Functions of answers that are exceptions lie above. */
const EXCEPTION = 0x80;

/** What can be asked. The words of the answer to a page are the bytes of its PDU. */
export type Request = ReadRequest | WriteRequest | PageRequest;

/** An answer that is none. */
export type Failure = Extract<Answer, { ok: false }>;

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly clock: Clock;
  readonly dial: Dial;
  /** Makes the port that frames requests and judges answers. */
  readonly port: (host: PortHost) => Port;
  /** Where answers carry no ids. */
  readonly line?: Line;
}

/** A connection is its own generation: callbacks of its wire reach nothing but this object. */
export class Connection {
  readonly #clock: Clock;
  readonly #line: Line | undefined;
  readonly #wire: Wire;
  readonly #port: Port;
  readonly #client: Client;
  #state: "connecting" | "open" | "ended" = "connecting";
  #connected: ((failure: string | undefined) => void) | undefined;
  #settle: ((answer: Answer) => void) | undefined;
  #request: ReadRequest | WriteRequest | undefined;
  #timeout: number;
  #sentAt: number | null = null;
  /** What came of the request, while a line is kept silent after it. */
  #kept: Answer | undefined;
  /** Whether it is kept because another answer may follow. */
  #isDoubtful = false;
  #cancelTimer: (() => void) | undefined;

  /** Begins to connect, for at most `timeout` ms. */
  constructor({ clock, dial, port, line }: ConnectionOptions, timeout: number) {
    this.#clock = clock;
    this.#line = line;
    this.#timeout = timeout;
    this.#port = port({
      send: (frame) => {
        if (line === undefined) this.#send(frame);
        else void this.#sendInSilence(frame, line);
      },
      doubt: (detail, isDamaged) => {
        if (isDamaged === true) line?.damaged();
        this.#giveUp("bad_frame", detail);
      },
      page: this.#paged,
    });
    this.#client = createClient(this.#port);
    this.#client.on("error", (error) => {
      this.#end("bad_frame", messageOf(error));
    });
    this.#wire = dial(
      {
        opened: this.#opened,
        received: line === undefined ? this.#received : this.#heard,
        lost: this.#lost,
        ended: () => {
          this.#end("timeout", this.#wire.gone);
        },
      },
      timeout,
    );
    this.#cancelTimer = clock.timer(Math.ceil(timeout), this.#expire);
  }

  /** Settles when the wire is gone for good. */
  get closed(): Promise<void> {
    return this.#wire.closed;
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

  /**
   * Sends a request and settles with what came of it within `timeout` ms; never rejects. Where answers
   * carry no ids, it settles when the answer can no longer come.
   */
  ask(request: Request, timeout: number): Promise<Answer> {
    return new Promise((resolve) => {
      if (this.#state !== "open" || this.#settle) {
        const why = this.#settle ? "another request is in flight" : "connection lost at once";
        resolve(this.#failure("connect_failed", why, null));
        return;
      }
      this.#settle = resolve;
      this.#request = "object" in request ? undefined : request;
      this.#timeout = timeout;
      this.#sentAt = null;
      try {
        if ("object" in request) this.#port.write(pageAdu(request));
        else send(this.#client, request, this.#parsed);
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
    const cancel = this.#clock.timer(patience, () => {
      this.#wire.drop();
    });
    void this.closed.then(cancel);
    this.#wire.release();
  }

  /** Ends the connection: a request in flight ends as `timeout`, a connect under way has failed. */
  end(detail: string): void {
    this.#drop(detail);
    this.#finish(this.#kept ?? this.#failure("timeout", detail, this.#sentAt));
  }

  #send(frame: Buffer): void {
    this.#sentAt = this.#clock.elapsed();
    this.#wire.send(frame);
  }

  /** The time-out of the answer begins when the request has left. */
  async #sendInSilence(frame: Buffer, line: Line): Promise<void> {
    const settle = this.#settle;
    const isWanted = (): boolean => this.#settle === settle && this.#kept === undefined;
    await line.silent(this.#wire, isWanted);
    if (!isWanted()) return;
    this.#cancelTimer?.();
    const patience = line.sending(frame, this.#timeout) + this.#timeout;
    this.#send(frame);
    this.#cancelTimer = this.#clock.timer(Math.ceil(patience), this.#expire);
  }

  readonly #opened = (): void => {
    if (this.#state !== "connecting") return;
    this.#cancelTimer?.();
    this.#state = "open";
    this.#line?.opened();
    this.#connected?.(undefined);
  };

  readonly #received = (bytes: Uint8Array): boolean => {
    if (this.isOpen) this.#port.receive(bytes);
    return this.isOpen;
  };

  /** What comes before a request is sent, or after it was answered or given up, is nobody's. */
  readonly #heard = (bytes: Uint8Array): boolean => {
    const isAwaited = this.#settle && this.#sentAt !== null && this.#kept === undefined;
    this.#line?.hear(bytes, isAwaited === true);
    if (isAwaited === true) return this.#received(bytes);
    if (this.#isDoubtful && this.#line?.isOwed === false) this.#endDoubt(this.#line);
    return this.isOpen;
  };

  /** What came has passed the port; this is what the library makes of it. */
  readonly #parsed: Parsed = (error, result) => {
    const request = this.#request;
    if (!this.#settle || !request) return;
    const exception = exceptionOf(error);
    if (!error && result) this.#answered(wordsOf(request, result.buffer));
    else if (exception !== undefined) this.#refused(exception);
    else this.#giveUp("bad_frame", messageOf(error));
  };

  readonly #paged = (pdu: Uint8Array): void => {
    const [code = 0, exception = 0] = pdu;
    if (code > EXCEPTION) this.#refused(exception);
    else this.#answered(Uint16Array.from(pdu));
  };

  #answered(words: Uint16Array): void {
    const endedAt = this.#clock.elapsed();
    this.#judge({ ok: true, words, sentAt: this.#sentAt ?? endedAt, endedAt });
  }

  #refused(exception: number): void {
    const detail = `the device answered with exception ${String(exception)}`;
    this.#judge({ ...this.#failure("exception", detail, this.#sentAt), exception });
  }

  /** Without ids, what fits may be the late answer to a request before this one. */
  #judge(answer: Answer): void {
    const line = this.#line;
    const doubt = line?.answered(answer, this.#timeout);
    if (line === undefined || doubt === undefined) {
      this.#finish(answer);
      return;
    }
    this.#isDoubtful = true;
    this.#keep(doubt.answer, doubt.until, () => {
      this.#endDoubt(line);
    });
  }

  #endDoubt(line: Line): void {
    line.doubtIsOver();
    if (this.#kept) this.#finish(this.#kept);
  }

  readonly #expire = (): void => {
    const within = `within ${String(Math.ceil(this.#timeout))} ms`;
    if (this.#state === "connecting") this.#end("connect_failed", `no connection ${within}`);
    else if (this.#sentAt !== null) this.#giveUp("timeout", `no answer ${within}`);
    else this.#giveUp("bad_frame", `no silence on the line ${within}: ${this.#line?.talk ?? ""}`);
  };

  readonly #lost = (error: Error): void => {
    const cause = textOf(error);
    if (this.#state === "connecting") this.#end("connect_failed", cause);
    else this.#end("timeout", `${this.#wire.gone} (${cause})`);
  };

  /** Without ids only time tells whose an answer is, and the connection goes on. */
  #giveUp(reason: Failure["reason"], detail: string): void {
    if (this.#line === undefined) this.#end(reason, detail);
    else this.#failInSilence(this.#line, this.#failure(reason, detail, this.#sentAt));
  }

  /** Whatever the reason: frees the wire and settles what is pending. */
  #end(reason: Failure["reason"], detail: string): void {
    if (this.#state === "ended") return;
    this.#drop(detail);
    // What is kept is settled in its time.
    if (this.#kept) return;
    const failure = this.#failure(reason, detail, this.#sentAt);
    if (this.#line === undefined) this.#finish(failure);
    else this.#failInSilence(this.#line, failure);
  }

  /** The answer may still come, over another connection perhaps: it must meet nobody who takes it for his own. */
  #failInSilence(line: Line, failure: Failure): void {
    line.gaveUp();
    const { sentAt, endedAt } = failure;
    const until = sentAt === null ? endedAt : line.answerableUntil(sentAt, this.#timeout);
    this.#keep(failure, until, () => {
      if (line.dropsInDoubt) this.#drop(failure.detail);
      this.#finish(line.told(failure));
    });
  }

  /** Settles the request by `over` when nothing can come any more. */
  #keep(answer: Answer, until: number, over: () => void): void {
    this.#cancelTimer?.();
    const left = Math.ceil(until - this.#clock.elapsed());
    if (left <= 0 || !this.#settle) {
      over();
      return;
    }
    this.#kept = answer;
    this.#cancelTimer = this.#clock.timer(left, over);
  }

  #drop(detail: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#port.isOpen = false;
    this.#wire.drop();
    this.#connected?.(detail);
  }

  #finish(answer: Answer): void {
    this.#cancelTimer?.();
    const settle = this.#settle;
    this.#settle = undefined;
    this.#kept = undefined;
    this.#isDoubtful = false;
    settle?.(answer);
  }

  #failure(reason: Failure["reason"], detail: string, sentAt: number | null): Failure {
    return { ok: false, reason, detail, sentAt, endedAt: this.#clock.elapsed() };
  }
}
