/** What has to be given back at the end, last taken first. */
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";

/** A list of things to undo. */
export class Releases {
  readonly #log: Log;
  readonly #steps: { readonly what: string; readonly undo: () => Promise<void> }[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** To be undone at the end. */
  add(what: string, undo: () => Promise<void>): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything; a step that fails is logged and does not hold up the others. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        this.#log.warn({ error: messageOf(error) }, `could not close the ${step.what}`);
      }
    }
  }
}
