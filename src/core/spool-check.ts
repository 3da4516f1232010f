/**
 * The rules of one stream of the spool, fed its messages in order: no number is left out, but for those
 * that were dropped on purpose, in whose place a message says so.
 */
import { numberOf, decodeSpooled } from "./records.ts";

/** Numbers that are left out, first and last. */
export type Missing = readonly [from: number, to: number];

/** See the head of this file. */
export class SpoolCheck {
  readonly #missing: (missing: Missing) => void;
  #last: number | undefined;
  /** Numbers that are left out, until it is known whether they were dropped. */
  #open: Missing | undefined;

  /** `missing` is told of numbers that nothing accounts for. */
  constructor(missing: (missing: Missing) => void) {
    this.#missing = missing;
  }

  /** The next message. */
  add(key: string, text: string): void {
    const number = numberOf(key);
    if (this.#last !== undefined && number > this.#last + 1) {
      this.end();
      this.#open = [this.#last + 1, number - 1];
    }
    this.#last = number;
    if (this.#open === undefined) return;
    const { topic, payload } = decodeSpooled(text);
    if (tellsDropped(topic, payload)) this.#open = undefined;
    // Gaps that were among what was dropped stay, and may stand before the one that tells it.
    else if (topic !== "" && !topic.startsWith("gaps/")) this.end();
  }

  /** There are no further messages. */
  end(): void {
    if (this.#open !== undefined) this.#missing(this.#open);
    this.#open = undefined;
  }
}

function tellsDropped(topic: string, payload: string): boolean {
  if (topic !== "node/events" && !topic.startsWith("gaps/")) return false;
  // A gap or an event, as it was spooled.
  const { outcome, kind } = JSON.parse(payload) as { outcome?: string; kind?: string };
  return outcome === "dropped" || kind === "events-dropped";
}
