/** Suspends and steps of the wall clock, put on the audit trail: one event for all schedules they touch. */
import type { Clock } from "../core/ports.ts";
import type { Journal } from "./journal.ts";
import type { Schedule } from "./schedule.ts";

/** ms in which the steps that schedules notice are gathered. */
const GATHER = 2000;
/** Schedules named in one event; the others follow the same rule. */
const MOST_NAMED = 100;

/** Notes what happens to the clocks. */
export class ClockNotes {
  readonly #clock: Clock;
  readonly #journal: Journal;
  #size = 0;
  #steps: { gateway: string; interval: number; seq: number }[] = [];

  constructor(clock: Clock, journal: Journal) {
    this.#clock = clock;
    this.#journal = journal;
  }

  /** A schedule lengthened an interval to follow a step of the wall clock; `seq` is the first slot after it. */
  stepped = (schedule: Schedule, step: { size: number; seq: number }): void => {
    if (this.#steps.length === 0) this.#clock.timer(GATHER, this.#tell);
    this.#size = step.size;
    const { gateway, interval } = schedule;
    if (this.#steps.length < MOST_NAMED) {
      this.#steps.push({ gateway: gateway.id, interval, seq: step.seq });
    }
  };

  /** The machine slept. */
  suspended = (length: number): void => {
    const text = `the machine was suspended for ${String(Math.round(length / 1000))} s`;
    const data = { length: Math.round(length) };
    void this.#journal.note({ kind: "suspended", text, data });
  };

  #tell = (): void => {
    const steps = this.#steps;
    this.#steps = [];
    const size = Math.round(this.#size);
    const way = size > 0 ? "forward" : "back";
    const text = `the wall clock was set ${way} by ${String(Math.abs(size))} ms; one interval of each schedule is longer`;
    void this.#journal.note({ kind: "clock-step", text, data: { size, schedules: steps } });
  };
}
