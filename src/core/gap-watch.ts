/** Finds the longest run of slots without a reading; runs of several reasons in a row are one. */
import type { Absence } from "./outcome.ts";
import type { Tally, WorstGap } from "./validation.ts";

/** Watches the slots of one epoch, in their order. */
export class GapWatch {
  readonly #tally: Tally;
  readonly #interval: number;
  #open: WorstGap | undefined;
  /** Slots of the longest part of what is open. */
  #longest = 0;

  constructor(tally: Tally, interval: number) {
    this.#tally = tally;
    this.#interval = interval;
  }

  /** So many slots of one absence, the last of them due at `slotTo`. */
  add(absence: Absence, slots: number, slotTo: number): void {
    if (absence.reason === "stopped") {
      this.end();
      return;
    }
    const before = this.#open;
    const reason = absence.outcome === "unknown" ? "unknown" : absence.reason;
    const slotFrom = before?.slotFrom ?? slotTo - (slots - 1) * this.#interval;
    const named = before !== undefined && this.#longest >= slots ? before.reason : reason;
    this.#longest = Math.max(this.#longest, slots);
    const all = (before?.slots ?? 0) + slots;
    this.#open = { slots: all, slotFrom, slotTo, reason: named, longest: this.#longest };
  }

  /** A slot with a reading, or the end. */
  end(): void {
    if (this.#open !== undefined) this.#tally.gap(this.#open);
    this.#open = undefined;
    this.#longest = 0;
  }
}
