/** One stream of the spool: where it stands, and the part of it that is in memory. */
import type { Spooled } from "../core/records.ts";
import { ShortMemory } from "./short-memory.ts";

/** One message of a stream and its number. */
export interface SpoolEntry {
  readonly number: number;
  readonly spooled: Spooled;
}

/** Numbers of a stream: first <= next <= visible <= tail. */
export class Stream {
  readonly name: string;
  /** Messages in memory by number; the rest is read from disk when its turn comes. */
  readonly memory = new ShortMemory<SpoolEntry>();
  loading = false;
  /** Whether it waits for its turn. */
  isQueued = false;
  /** Messages that wait, and their size in characters. */
  messages = 0;
  bytes = 0;
  /** Oldest number that is not acknowledged. */
  #first: number;
  /** Next number to hand out. */
  #next: number;
  /** All below are on disk. */
  #visible: number;
  /** Next number to give. */
  #tail: number;
  readonly #confirmed = new Set<number>();
  readonly #acknowledged = new Set<number>();
  /** Acknowledged, and on disk until all before them are. */
  readonly #settled = new Set<number>();

  constructor(name: string, first: number) {
    this.name = name;
    this.#first = this.#next = this.#visible = this.#tail = first;
  }

  get next(): number {
    return this.#next;
  }

  get first(): number {
    return this.#first;
  }

  /** Whether a message waits to be handed out. */
  get ready(): boolean {
    return this.#next < this.#visible;
  }

  /** Whether nothing waits for an acknowledgement. */
  get empty(): boolean {
    return this.#first >= this.#visible;
  }

  /** Whether the message with this number waits for its acknowledgement. */
  waits(number: number): boolean {
    return number >= this.#first && !this.#acknowledged.has(number);
  }

  /** Gives the next number. */
  number(): number {
    return this.#tail++;
  }

  /** A message with this number was found on disk at start; numbers in between were acknowledged. */
  found(number: number): void {
    for (let gone = this.#tail; gone < number; gone++) this.#acknowledged.add(gone);
    this.#tail = this.#visible = number + 1;
  }

  /** The message with this number is on disk. */
  confirm(number: number): void {
    if (number !== this.#visible) {
      this.#confirmed.add(number);
      return;
    }
    do this.#visible++;
    while (this.#confirmed.delete(this.#visible));
  }

  /** Moves to the message after the next one; messages that are acknowledged already are passed over. */
  pass(): void {
    do this.#next++;
    while (this.#acknowledged.has(this.#next));
  }

  /** Moves past messages that were acknowledged before they were handed out. */
  skipAcknowledged(): void {
    this.#next = Math.max(this.#next, this.#first);
    while (this.#acknowledged.has(this.#next)) this.#next++;
  }

  /** The broker has the message with this number. */
  acknowledge(number: number): void {
    this.memory.delete(number);
    if (number !== this.#first) {
      this.#acknowledged.add(number);
      return;
    }
    do this.#first++;
    while (this.#acknowledged.delete(this.#first));
  }

  /**
   * The broker has the message with this number, and it is on disk. Gives back the numbers that can be
   * deleted: oldest first without leaving one out, so that a number that is missing on disk is seen.
   */
  settle(number: number): number[] {
    this.acknowledge(number);
    if (this.#settled.size === 0 && number < this.#first) return [number];
    this.#settled.add(number);
    const gone = [...this.#settled].filter((settled) => settled < this.#first);
    for (const one of gone) this.#settled.delete(one);
    return gone.sort((a, b) => a - b);
  }

  /** All that is not acknowledged is handed out again. */
  rewind(): void {
    this.#next = this.#first;
  }
}
