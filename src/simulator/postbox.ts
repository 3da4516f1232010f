/** Sends the pieces of answers in their time. */
import type { Clock } from "../core/ports.ts";
import type { Piece } from "./outgoing.ts";

/** More wait for their time only when somebody asks without end; they are dropped. */
const MOST_WAITING = 10_000;

/** What is still to be sent from one endpoint. */
export class Postbox {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();
  #held: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends pieces at once, later, or when the fault ends; all of them `delay` ms later. */
  post(pieces: readonly Piece[], write: (bytes: Buffer) => void, delay = 0): void {
    for (const { after, bytes } of pieces) {
      const send = () => {
        write(bytes);
      };
      if (after === null) this.#hold(send);
      else if (after + delay === 0) send();
      else this.#wait(after + delay, send);
    }
  }

  /** The fault has ended. */
  release(): void {
    for (const send of this.#held.splice(0)) send();
  }

  /** Sends nothing any more. */
  close(): void {
    this.#held = [];
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #hold(send: () => void): void {
    if (this.#held.length < MOST_WAITING) this.#held.push(send);
  }

  #wait(ms: number, send: () => void): void {
    if (this.#cancels.size >= MOST_WAITING) return;
    const cancel = this.#clock.timer(ms, () => {
      this.#cancels.delete(cancel);
      send();
    });
    this.#cancels.add(cancel);
  }
}
