/** Transactions that were answered, so that the same one is answered again and not carried out again. */
import type { Reply } from "../core/command.ts";
import type { Clock, Store, Write } from "../core/ports.ts";
import { below, keys, type AnsweredRecord } from "../core/records.ts";

/** How long, ms, and how many are remembered. */
export const MEMORY = 600_000;
const MOST = 10_000;

/** Remembers answers for ten minutes, at most 10,000, across restarts. */
export class Transactions {
  readonly #clock: Clock;
  readonly #forget: (writes: readonly Write[]) => void;
  /** By transaction, oldest first; `since` is elapsed time, so that a step of the wall clock forgets nothing. */
  readonly #answered = new Map<string, { readonly since: number; readonly reply: Reply }>();

  constructor(clock: Clock, forget: (writes: readonly Write[]) => void) {
    this.#clock = clock;
    this.#forget = forget;
  }

  /** Takes up what the store remembers. */
  async load(store: Store): Promise<void> {
    const entries = await store.range({ ...below(keys.commandsAll), limit: MOST });
    const found = entries.map(({ key, value }) => {
      // As written by `write`, both texts: the store has checked the checksum.
      const { at, reply } = JSON.parse(value) as AnsweredRecord;
      const transaction = decodeURIComponent(key.slice(keys.commandsAll.length));
      // The text of a reply, as the record says.
      return { transaction, at, reply: JSON.parse(reply) as Reply };
    });
    found.sort((a, b) => a.at - b.at);
    for (const { transaction, at, reply } of found) {
      const age = Math.max(0, this.#clock.wall() - at);
      this.#answered.set(transaction, { since: this.#clock.elapsed() - age, reply });
    }
    this.#expire();
  }

  /** The answer that was given, if it is remembered. */
  answered(transaction: string): Reply | undefined {
    this.#expire();
    return this.#answered.get(transaction)?.reply;
  }

  /** The write that makes an answer outlive the process. */
  write(transaction: string, reply: Reply): Write {
    const record: AnsweredRecord = {
      at: Math.round(this.#clock.wall()),
      reply: JSON.stringify(reply),
    };
    return { key: keys.command(transaction), value: JSON.stringify(record) };
  }

  /** Remembers an answer that is on disk. */
  remember(transaction: string, reply: Reply): void {
    this.#answered.set(transaction, { since: this.#clock.elapsed(), reply });
    this.#expire();
  }

  #expire(): void {
    const now = this.#clock.elapsed();
    for (const [transaction, { since }] of this.#answered) {
      const isFresh = now - since <= MEMORY;
      if (isFresh && this.#answered.size <= MOST) return;
      this.#answered.delete(transaction);
      this.#forget([{ key: keys.command(transaction) }]);
    }
  }
}
