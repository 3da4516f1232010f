/**
 * Messages that were on their way when the broker ended the connection. One of them may be what it does
 * not take (too large, not allowed, malformed to its mind); sent again and again it would keep all others
 * waiting. So each is sent alone, and one that ends three connections in a row is given up.
 */
import type { Message } from "../core/ports.ts";

/** Connections that one message may end. */
const MOST_CUTS = 3;
/** ms after which a topic is tried again on which a message was given up. */
const TRIED_AGAIN = 3_600_000;

/** Counts, by the name of a message, the connections in a row that ended while it was on its way. */
export class Suspects {
  #cuts = new Map<string, number>();
  #latest = new Map<string, number>();
  /** By topic: the size of the message that was given up there, and when. */
  readonly #unfit = new Map<string, { readonly size: number; readonly at: number }>();

  /** The broker ended the connection while the message was on its way; true when that was once too often. */
  cut(name: string, { topic, payload }: Message, now: number): boolean {
    const cuts = (this.#cuts.get(name) ?? 0) + 1;
    if (cuts < MOST_CUTS) this.#latest.set(name, cuts);
    else this.#unfit.set(topic, { size: payload.length, at: now });
    return cuts >= MOST_CUTS;
  }

  /** A new connection: only what was on its way at the end of the last one is suspect. */
  connected(): void {
    this.#cuts = this.#latest;
    this.#latest = new Map();
  }

  /** Whether the message must be sent alone. */
  has(name: string): boolean {
    return this.#cuts.has(name);
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
