/**
 * Messages that were on their way when the broker ended the connection. One of them may be what it does
 * not take (too large, not allowed, malformed to its mind); sent first on every connection it would keep
 * all others waiting. So one to which that happens again stands aside until a connection has stood for a
 * while, and is then sent alone. What ends the connection even so, twice, is given up: a broker that is
 * restarted, a rival for the client id or a bad line do not do that to one and the same message.
 */
import type { Message } from "../core/ports.ts";

/** Connections that end while a message is on its way, after which it is suspect, and that it may end alone. */
const SUSPECT = 2;
const GIVEN_UP = 2;
/** ms that a connection has stood before a suspect is sent. */
export const TRIAL_AFTER = 7000;
/** ms after which a topic is tried again on which a message was given up. */
const TRIED_AGAIN = 3_600_000;
/** Messages that are counted at most; they are the oldest of the spool, a window's worth at each cut. */
const MOST = 1000;

/** Counts the connections that ended while a message was on its way, by the name of the message. */
export class Suspects {
  readonly #cuts = new Map<string, { together: number; alone: number }>();
  /** By topic: the size of the message that was given up there, and when. */
  readonly #unfit = new Map<string, { readonly size: number; readonly at: number }>();

  /** The broker ended the connection while the message was on its way; true when it is to be given up. */
  cut(name: string, { topic, payload }: Message, now: number): boolean {
    const known = this.#cuts.get(name) ?? { together: 0, alone: 0 };
    if (this.has(name)) known.alone++;
    else known.together++;
    if (known.alone >= GIVEN_UP) {
      this.#cuts.delete(name);
      this.#unfit.set(topic, { size: payload.length, at: now });
      return true;
    }
    if (this.#cuts.size >= MOST) this.#cuts.clear();
    this.#cuts.set(name, known);
    return false;
  }

  /** Whether the message is suspect: to be sent alone, on a connection that stands. */
  has(name: string): boolean {
    return (this.#cuts.get(name)?.together ?? 0) >= SUSPECT;
  }

  /** The broker has answered: the message is not what it objects to. */
  clear(name: string): void {
    this.#cuts.delete(name);
  }

  /** Whether a message of the topic, not larger than this one, was given up within the last hour. */
  isUnfit({ topic, payload }: Message, now: number): boolean {
    const known = this.#unfit.get(topic);
    return known !== undefined && payload.length >= known.size && now - known.at < TRIED_AGAIN;
  }
}
