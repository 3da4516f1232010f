/** The manners of a line without ids, where silence alone tells whose an answer is. */
import { longestAnswer } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { Wire } from "./wire.ts";

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
  /** Whether the connection is dropped after a silence in doubt, because one that is dead looks the same. */
  readonly dropsInDoubt: boolean;
  readonly waitUntil: WaitUntil;
}

/** Knows when a line may be used; it outlives its connections. */
export class Line {
  readonly dropsInDoubt: boolean;
  readonly #clock: Clock;
  readonly #manners: LineManners;
  /** Elapsed time from which on a frame may be sent. */
  #free = 0;
  #heard = 0;

  constructor(clock: Clock, manners: LineManners) {
    this.#clock = clock;
    this.#manners = manners;
    this.dropsInDoubt = manners.dropsInDoubt;
  }

  /** Bytes that came since the last request was sent. */
  get heard(): number {
    return this.#heard;
  }

  /** It was opened: nobody knows what went over it before. */
  opened(): void {
    this.hear(0);
  }

  /** Bytes came. */
  hear(count: number): void {
    this.#heard += count;
    this.#free = Math.max(this.#free, this.#clock.elapsed() + this.#manners.silence);
  }

  /** A request is sent. */
  sending(bytes: number): void {
    const { character, silence } = this.#manners;
    this.#heard = 0;
    this.#free = this.#clock.elapsed() + bytes * character + silence;
  }

  /** Settles when nothing has come for the silence, or it is not wanted any more. */
  async silent(wire: Wire, isWanted: () => boolean): Promise<void> {
    do {
      if (this.#clock.elapsed() < this.#free) await this.#manners.waitUntil(this.#free);
      // A process that was held up has not seen everything: a late answer may lie in the driver.
      await wire.clear();
    } while (this.#clock.elapsed() < this.#free && isWanted());
  }

  /** Elapsed time until which the answer to a request can still come. */
  answerableUntil(sentAt: number, timeout: number): number {
    return sentAt + longestAnswer(this.#manners.maxAnswerTime, timeout);
  }
}
