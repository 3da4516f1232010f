/**
 * When things happen: one timer for all schedules. A pass claims what is due soon (`claimer.ts`), starts
 * what is due now, and gives up what could not start within its grace (`starter.ts`).
 */
import type { Absence } from "../core/outcome.ts";
import { Claimer, type ClaimerWorld, type Moment } from "./claimer.ts";
import type { Schedule } from "./schedule.ts";
import { Starter, type StarterWorld } from "./starter.ts";

/** Longest sleep, ms: suspends and clock steps are noticed at least this often. */
const LONGEST_SLEEP = 1000;
/** ms between gap messages of a run that goes on. */
const TELL_EVERY = 3_600_000;

/** What the scheduler works with. */
export interface SchedulerWorld extends ClaimerWorld, StarterWorld {
  /** The machine was suspended for so many ms. */
  readonly suspended: (length: number) => void;
  /** Told before schedules go by the clocks: wall clock minus elapsed time. */
  readonly look: (offset: number, schedules: ReadonlySet<Schedule>) => void;
  /** A pass was made. */
  readonly passed: () => void;
}

/** Runs schedules; see the head of this file. */
export class Scheduler {
  readonly #world: SchedulerWorld;
  readonly #schedules = new Set<Schedule>();
  readonly #starter: Starter;
  readonly #claimer: Claimer;
  #cancel: (() => void) | undefined;
  #wakeAt = Infinity;
  #passing = false;
  #open = false;
  /** Whether the machine slept since the last pass. */
  #slept = false;
  #nextTell: number;

  constructor(world: SchedulerWorld) {
    this.#world = world;
    this.#starter = new Starter(world, {
      moment: () => this.#moment(),
      arm: () => {
        this.#arm();
      },
    });
    this.#claimer = new Claimer(world, {
      tend: (schedule, moment) => {
        this.#starter.tend(schedule, moment);
      },
      claimed: (schedules) => {
        this.#starter.tendAll(schedules, this.#moment());
        this.#arm();
      },
    });
    this.#nextTell = world.clock.elapsed() + TELL_EVERY;
  }

  /** Knows a schedule from now on; it runs from `open` on, at once when that was before, or once `start` is called. */
  add(schedule: Schedule, running: boolean): void {
    this.#schedules.add(schedule);
    schedule.running = running;
    if (!this.#open) return;
    this.#takeUp(schedule, this.#moment());
    this.#pass();
  }

  /** Knows a schedule no more that was stopped. */
  remove(schedule: Schedule): void {
    this.#schedules.delete(schedule);
  }

  /** Begins to make passes. Slots whose grace ended before are missed: the process was down. */
  open(): void {
    this.#open = true;
    const moment = this.#moment();
    for (const schedule of this.#schedules) this.#takeUp(schedule, moment);
    this.#pass();
  }

  #takeUp(schedule: Schedule, moment: Moment): void {
    if (!schedule.running) return;
    const absence: Absence = { outcome: "missed", reason: "down" };
    this.#claimer.passBy(schedule, moment.now - schedule.grace, moment, absence);
    this.#claimer.add(schedule);
  }

  /** Runs a schedule; slots that passed while it was stopped are missed. */
  start(schedule: Schedule): void {
    if (schedule.running) return;
    this.catchUp(schedule);
    schedule.running = true;
    this.#claimer.add(schedule);
    this.#pass();
  }

  /** Stops a schedule: the request in flight ends, no other is sent. Settles when the poll that runs has ended. */
  async stop(schedule: Schedule, reason: "stopped" | "down"): Promise<void> {
    if (schedule.running) {
      schedule.running = false;
      schedule.idle = reason;
      this.#starter.remove(schedule);
      this.#claimer.remove(schedule);
      this.#starter.miss(schedule, schedule.claims.splice(0), reason);
      schedule.poll?.stop();
    }
    await schedule.ended;
  }

  /** Accounts the slots that passed while a schedule was stopped. */
  catchUp(schedule: Schedule): void {
    if (schedule.running) return;
    const moment = this.#moment();
    const absence: Absence = { outcome: "missed", reason: schedule.idle };
    this.#claimer.passBy(schedule, moment.now, moment, absence);
  }

  /** Takes up a schedule that has lost its place: what is claimed begins or is given up, what passed is accounted. */
  restart(schedule: Schedule): void {
    if (!schedule.running) return;
    this.#starter.add(schedule);
    this.#claimer.add(schedule);
    // The timer may be what was lost.
    this.#wakeAt = Infinity;
    this.#pass();
  }

  /** Ends all passes. */
  close(): void {
    this.#open = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A suspend must be noticed before the clocks are compared, or it looks like a step. */
  #moment(): Moment {
    const { clock, suspended, look } = this.#world;
    const length = clock.noticeSuspend();
    if (length > 0) {
      this.#slept = true;
      suspended(length);
    }
    const now = clock.elapsed();
    const offset = clock.wall() - now;
    look(offset, this.#schedules);
    return { now, offset, suspended: this.#slept };
  }

  #pass = (): void => {
    if (!this.#open || this.#passing) return;
    this.#passing = true;
    try {
      const moment = this.#moment();
      this.#starter.tendDue(moment);
      this.#claimer.claim(moment);
      if (moment.now >= this.#nextTell) this.#tell(moment.now);
      void this.#world.committer.flushIdle().catch(() => undefined);
      this.#world.passed();
    } finally {
      this.#slept = false;
      this.#passing = false;
      this.#arm();
    }
  };

  #arm(): void {
    const { clock } = this.#world;
    const wakeAt = Math.min(
      this.#starter.nextAt,
      this.#claimer.nextAt,
      clock.elapsed() + LONGEST_SLEEP,
    );
    if (this.#cancel !== undefined && this.#wakeAt <= wakeAt) return;
    this.#cancel?.();
    this.#wakeAt = wakeAt;
    this.#cancel = clock.timer(Math.max(1, Math.ceil(wakeAt - clock.elapsed())), () => {
      this.#cancel = undefined;
      this.#pass();
    });
  }

  #tell(now: number): void {
    this.#nextTell = now + TELL_EVERY;
    for (const schedule of this.#schedules) {
      this.catchUp(schedule);
      this.#world.ledger.tellOpen(schedule);
    }
  }
}
