/** Removes whole prefixes from the store: outcomes into the total of their schedule, in the same batch. */
import type { Clock, Store, Write } from "../core/ports.ts";
import { below, decodeLedger, keys, type LedgerRecord, type TotalRecord } from "../core/records.ts";
import { Total, type Place } from "../core/total.ts";
import type { Committer } from "./committer.ts";
import { pagesOf } from "./pages.ts";

/** Records removed of a range after which the room they had is given back. */
const MANY = 5000;

/** What removing works with. */
export interface PrunerWorld {
  readonly clock: Clock;
  readonly store: Store;
  readonly committer: Pick<Committer, "commit">;
}

/** See the head of this file. */
export class Pruner {
  readonly #world: PrunerWorld;
  #ended = false;
  /** Records removed so far. */
  removed = 0;

  constructor(world: PrunerWorld) {
    this.#world = world;
  }

  /** Removes no further page. */
  end(): void {
    this.#ended = true;
  }

  /** Removes all outcomes of a schedule that lie at or before a place; a run that goes on behind it stays. */
  async outcomes(schedule: string, place: Place): Promise<void> {
    const { store } = this.#world;
    const text = await store.get(keys.total(schedule));
    // As written below: the store has checked its checksum.
    const before = text === undefined ? undefined : (JSON.parse(text) as TotalRecord);
    const total = new Total(before);
    const { from: first } = below(keys.outcomesOf(schedule));
    const from = before === undefined ? first : keys.outcome(schedule, before.epoch, before.at + 1);
    const to = keys.outcome(schedule, place.epoch, place.at + 1);
    await this.#remove(
      { from, to },
      (key, value) => {
        const epoch = Number(key.split("/")[2]);
        const record = recordOf(key, value);
        if (record !== undefined && !Total.isWithin(epoch, record, place)) return false;
        if (record !== undefined) total.add(epoch, record);
        return true;
      },
      () => [{ key: keys.total(schedule), value: JSON.stringify(total.record()) }],
    );
  }

  /** Removes all records of a range. */
  async all(range: { from: string; to: string }): Promise<void> {
    await this.#remove(
      range,
      () => true,
      () => [],
    );
  }

  /** Removes records from the beginning of a range as long as they are to go; `beside` is written with each page. */
  async #remove(
    range: { from: string; to: string },
    goes: (key: string, value: string) => boolean,
    beside: () => readonly Write[],
  ): Promise<void> {
    const { store, committer, clock } = this.#world;
    const before = this.removed;
    let unreadable: string[] = [];
    const damaged = (key: string) => unreadable.push(key);
    for await (const page of pagesOf(store, range, { damaged })) {
      const stays = page.findIndex(({ key, value }) => !goes(key, value));
      const gone = (stays < 0 ? page : page.slice(0, stays)).map(({ key }) => key);
      const end = stays < 0 ? undefined : page[stays]?.key;
      // What can't be read is told by the validation; behind it the account goes on.
      gone.push(...unreadable.filter((key) => end === undefined || key < end));
      unreadable = [];
      if (gone.length === 0 || this.#ended) break;
      await committer.commit([...gone.map((key) => ({ key })), ...beside()]);
      this.removed += gone.length;
      // Polls that came due meanwhile have their turn.
      await new Promise<void>((resolve) => clock.timer(1, resolve));
      if (stays >= 0) break;
    }
    if (this.removed - before >= MANY) await store.compact(range);
  }
}

function recordOf(key: string, value: string): LedgerRecord | undefined {
  try {
    return decodeLedger(key, value);
  } catch {
    return undefined;
  }
}
