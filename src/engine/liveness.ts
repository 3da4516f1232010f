/** Whether the node does its work: the watchdog of the service manager is fed by what is done, not by a timer. */
import type { Clock, Entry, Store } from "../core/ports.ts";

/** ms that a store call may go unanswered; an error is an answer. */
const LONGEST_CALL = 20_000;

/** Gives a sign of life at each pass of the scheduler, unless a store call hangs. */
export class Liveness {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #alive: () => void;
  /** The calls that are not answered yet, the oldest first, each with its time. */
  readonly #calls: { readonly at: number }[] = [];

  constructor(clock: Pick<Clock, "elapsed">, alive: () => void) {
    this.#clock = clock;
    this.#alive = alive;
  }

  /** The scheduler has made a pass, whether anything was due or not. */
  readonly passed = (): void => {
    const [oldest] = this.#calls;
    if (oldest === undefined || this.#clock.elapsed() - oldest.at < LONGEST_CALL) this.#alive();
  };

  /** The same store, its calls watched; not a compaction, which takes its time while all others are answered. */
  watched(store: Store): Store {
    return {
      write: (batch, sync) => this.#answered(store.write(batch, sync)),
      get: (key) => this.#answered(store.get(key)),
      range: (range) => this.#answered(store.range(range)),
      scan: (range) => this.#pages(store.scan(range)),
      compact: (range) => store.compact(range),
      close: () => store.close(),
    };
  }

  /** Whoever takes the pages may take his time for each. */
  async *#pages(pages: AsyncGenerator<readonly Entry[]>): AsyncGenerator<readonly Entry[]> {
    try {
      for (;;) {
        const page = await this.#answered(pages.next());
        if (page.done === true) return;
        yield page.value;
      }
    } finally {
      await pages.return(undefined);
    }
  }

  async #answered<T>(answer: Promise<T>): Promise<T> {
    const call = { at: this.#clock.elapsed() };
    this.#calls.push(call);
    try {
      return await answer;
    } finally {
      this.#calls.splice(this.#calls.indexOf(call), 1);
    }
  }
}
