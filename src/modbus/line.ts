/** The manners of a line without ids, where silence alone tells whose an answer is. */
import { longestAnswer } from "../core/model.ts";
import type { Answer, Clock } from "../core/ports.ts";
import { Owed } from "./owed.ts";
import type { Wire } from "./wire.ts";

/** How long an answer is reckoned with, whatever is thought to be the longest: ms at least, and times that. */
const RECKONED = 10_000;
const RECKONED_TIMES = 2;
/** The next one in a row of late answers comes about as long after it as the requests lay apart, but units are uneven. */
const NEXT_LATE = 2;
const OTHER = "it may be the late answer to an earlier request";

/** ms before the end of a silence at which what came is cleared, which takes a while: the request need not wait for it. */
const CLEARED_AHEAD = 0.5;

type Failure = Extract<Answer, { ok: false }>;

/** Settles at an elapsed time (ms), as exactly as the machine allows and never before. */
export type WaitUntil = (at: number) => Promise<void>;

/** What a line needs. */
export interface LineManners {
  /** ms without a byte before a request. */
  readonly silence: number;
  /** ms that a byte is on the line; 0 where nobody knows. */
  readonly character: number;
  /** ms after a request for which its answer can still come; undefined: twice the time-out. */
  readonly maxAnswerTime: number | undefined;
  /** Whether the connection is dropped after a silence without an answer, because one that is dead looks the same. */
  readonly dropsInDoubt: boolean;
  /** Whether whoever used it before is known to have left it silent. */
  readonly isSilent: boolean;
  readonly waitUntil: WaitUntil;
}

/** An answer that may be late: what it counts as, and the elapsed time until which another may follow. */
export interface Doubt {
  readonly answer: Answer;
  readonly until: number;
}

/** Knows when a line may be used, and whose an answer is; it outlives its connections. */
export class Line {
  readonly dropsInDoubt: boolean;
  readonly #clock: Clock;
  readonly #manners: LineManners;
  readonly #owed = new Owed();
  /** Elapsed time at which somebody else may have sent his last request. */
  readonly #taken: number;
  /** Elapsed time from which on a frame may be sent. */
  #free = 0;
  /** Elapsed time until which an answer may come by what is thought to be the longest. */
  #answerable = 0;
  /** ms that the last request takes on the line: nobody can answer before. */
  #sending = 0;
  #heard = 0;
  /** Whether what came before us is over. */
  #isKnown: boolean;
  /** Whether a late answer came since the last answer. */
  #isLate = false;
  /** Elapsed time at which the first late answer since the last request came. */
  #lateAt: number | undefined;

  /** To be made when nobody else can use the line any more. */
  constructor(clock: Clock, manners: LineManners) {
    this.#clock = clock;
    this.#manners = manners;
    this.dropsInDoubt = manners.dropsInDoubt;
    this.#isKnown = manners.isSilent;
    this.#taken = manners.isSilent ? -Infinity : clock.elapsed();
  }

  /** What came since the last request was sent, in words. */
  get talk(): string {
    return `${String(this.#heard)} bytes came unasked, of another master or a device that does not stop`;
  }

  /** Whether no answer is on its way that somebody could take for his own. */
  get isSilent(): boolean {
    return this.#isKnown && this.#answerable <= this.#clock.elapsed();
  }

  /** ms from now for which an answer may come to whoever used the line before. */
  strange(timeout: number): number {
    return Math.max(0, this.#taken + this.#longest(timeout) - this.#clock.elapsed());
  }

  /** It was opened: nobody knows what went over it before. */
  opened(): void {
    this.#listen();
  }

  /** Bytes came; those that are not awaited may be a late answer. */
  hear(bytes: Uint8Array, isAwaited: boolean): void {
    this.#heard += bytes.length;
    this.#listen();
    this.#owed.hear(bytes);
    const now = this.#clock.elapsed();
    if (isAwaited || !this.#owed.findLate(now)) return;
    this.#isLate = true;
    this.#lateAt ??= now;
  }

  /** A request is sent; tells for how many ms it is on the line, after which the time-out begins (Modbus over Serial Line 2.4.1). */
  sending(frame: Buffer, timeout: number): number {
    const { character, silence } = this.#manners;
    const now = this.#clock.elapsed();
    this.#heard = 0;
    this.#lateAt = undefined;
    this.#isKnown = true;
    this.#sending = frame.length * character;
    this.#free = now + this.#sending + silence;
    this.#answerable = this.answerableUntil(now, timeout);
    const reckoned = Math.max(RECKONED, RECKONED_TIMES * this.#longest(timeout));
    this.#owed.sent(frame, now, now + this.#sending + reckoned);
    return this.#sending;
  }

  /**
   * The request has an answer; undefined when that can be no other's. That of the same registers is
   * merely older. Had it been late, the next one would have come until then, and must meet nobody.
   */
  answered(answer: Answer, timeout: number): Doubt | undefined {
    this.#isLate = false;
    const owner = this.#owed.answered(!answer.ok, answer.endedAt);
    const longest = Math.max(this.#longest(timeout), this.#owed.latest(answer.endedAt));
    const silence = Math.min(NEXT_LATE * longest, RECKONED_TIMES * RECKONED);
    this.#answerable = owner === "own" ? 0 : answer.endedAt + silence;
    if (owner === "own") return undefined;
    const { sentAt, endedAt } = answer;
    const other = { ok: false, reason: "bad_frame", detail: OTHER, sentAt, endedAt } as const;
    return { answer: owner === "same" ? answer : other, until: this.#answerable };
  }

  /** The request was given up; its answer may stand behind something else in what came. */
  gaveUp(): void {
    this.#owed.findLate(this.#clock.elapsed());
  }

  /** A failure when nothing can come of it any more: an answer may have come late. */
  told(failure: Failure): Failure {
    if (this.#lateAt === undefined || failure.reason !== "timeout") return failure;
    const after = Math.ceil(this.#lateAt - (failure.sentAt ?? this.#lateAt));
    const detail = `${failure.detail}, but one after ${String(after)} ms`;
    return { ...failure, detail, late: true };
  }

  /** What came of the request is an answer that was damaged on its way: it is not owed any more. */
  damaged(): void {
    this.#owed.answered(false, this.#clock.elapsed());
  }

  /** Settles when nothing has come for the silence, or it is not wanted any more. */
  async silent(wire: Wire, isWanted: () => boolean): Promise<void> {
    let clearedAt: number;
    do {
      await this.#until(this.#free - CLEARED_AHEAD);
      // A process that was held up has not seen everything: a late answer may lie in the driver.
      await wire.clear();
      clearedAt = this.#clock.elapsed();
      await this.#until(this.#free);
    } while (isWanted() && !this.#isReady(clearedAt));
  }

  /** Elapsed time until which the answer to the last request can still come. */
  answerableUntil(sentAt: number, timeout: number): number {
    return sentAt + this.#sending + this.#longest(timeout);
  }

  /** Whether the unit that was asked last may still answer. */
  get isOwed(): boolean {
    return this.#owed.isOpen;
  }

  /** A silence after a doubtful answer is over: where none came in it, none was late. */
  doubtIsOver(): void {
    this.#answerable = 0;
    if (!this.#isLate) this.#owed.forget();
  }

  /** What comes is heard while it is waited, unless the process is held up. */
  #isReady(clearedAt: number): boolean {
    const now = this.#clock.elapsed();
    return now >= this.#free && now - clearedAt <= 2 * CLEARED_AHEAD;
  }

  async #until(at: number): Promise<void> {
    if (this.#clock.elapsed() < at) await this.#manners.waitUntil(at);
  }

  #listen(): void {
    this.#free = Math.max(this.#free, this.#clock.elapsed() + this.#manners.silence);
  }

  #longest(timeout: number): number {
    return longestAnswer(this.#manners.maxAnswerTime, timeout);
  }
}
