/** What is retained: the latest payload of each topic, and which of them the broker may not have. */
import type { PublishError } from "../core/errors.ts";

/** See the head of this file. */
export class Retained {
  readonly #latest = new Map<string, string>();
  readonly #changed = new Set<string>();

  /** Takes the state of a topic, an empty payload to clear it; false when it is that already. */
  set(topic: string, payload: string): boolean {
    if (this.#latest.get(topic) === payload) return false;
    this.#latest.set(topic, payload);
    this.#changed.add(topic);
    return true;
  }

  /** Whether the topic has a state, or one that is to be cleared and is not yet. */
  has(topic: string): boolean {
    return this.#latest.has(topic);
  }

  /** The broker may have none of it. */
  changeAll(): void {
    for (const topic of this.#latest.keys()) this.#changed.add(topic);
  }

  /** Topics whose payload the broker may not have. */
  get changed(): Iterable<string> {
    return this.#changed;
  }

  /** The payload of a topic, which counts as sent from now on. */
  take(topic: string): string {
    this.#changed.delete(topic);
    return this.#latest.get(topic) ?? "";
  }

  /** The broker has what was taken, or refuses it; when it was lost, it is to be sent again. */
  settle(topic: string, payload: string, error: PublishError | undefined): void {
    const isCleared = error === undefined && this.#latest.get(topic) === "";
    if (isCleared && payload === "") this.#latest.delete(topic);
    if (error !== undefined && error.code !== "PUBLISH_REFUSED") this.#changed.add(topic);
  }
}
