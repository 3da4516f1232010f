/**
 * How long this ledger has been watched, in elapsed time: what a clock step can't change, so that ages
 * are counted in it. Time during which the machine was off is not known and does not count.
 */
import type { Clock, Store, Write } from "../core/ports.ts";
import { keys } from "../core/records.ts";
import { AuditAges } from "./audit-ages.ts";

/** As kept: ms, at an elapsed time of a boot. */
type Kept = [age: number, elapsed: number, boot: string];

/** See the head of this file. */
export class Age {
  readonly #clock: Clock;
  /** How old the audit trail is. */
  readonly audit: AuditAges;
  /** Age at elapsed time 0 of this boot. */
  #base: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.audit = new AuditAges(clock);
    this.#base = -clock.elapsed();
  }

  /** Takes up what was kept. */
  async load(store: Store): Promise<void> {
    await this.audit.load(store);
    const text = await store.get(keys.age);
    if (text === undefined) return;
    // As written by `keep`: the store has checked its checksum.
    const [age, elapsed, boot] = JSON.parse(text) as Kept;
    this.#base = age - (boot === this.#clock.bootId ? elapsed : this.#clock.elapsed());
  }

  /** ms. */
  get now(): number {
    return this.#base + this.#clock.elapsed();
  }

  /** To be called before an event gets its wall time; gives back what is to be written with it. */
  stamping = (): Write[] => this.audit.note(this.now);

  /** The write that makes it outlive the process. */
  keep(): Write {
    const elapsed = Math.round(this.#clock.elapsed());
    const kept: Kept = [Math.round(this.#base + elapsed), elapsed, this.#clock.bootId];
    return { key: keys.age, value: JSON.stringify(kept) };
  }
}
