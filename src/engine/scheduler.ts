/**
 * When things happen: one timer for all schedules. A pass claims what is due soon, starts what is due
 * now, and gives up what could not start within its grace.
 */
import { missReason, type Absence, type MissReason } from "../core/outcome.ts";
import { Claimer, type ClaimerWorld, type Moment } from "./claimer.ts";
import type { Faults } from "./faults.ts";
import { TimeHeap } from "./heap.ts";
import type { Ticket } from "./lane.ts";
import type { ClaimedSlot, Schedule } from "./schedule.ts";

/** Longest sleep, ms: suspends and clock steps are noticed at least this often. */
const LONGEST_SLEEP = 1000;
/** ms between gap messages of a run that goes on. */
const TELL_EVERY = 3_600_000;

/** What the scheduler works with. */
export interface SchedulerWorld extends ClaimerWorld {
  /** Polls a slot; settles when all its requests are settled. Never rejects. */
  readonly poll: (schedule: Schedule, slot: ClaimedSlot, ticket: Ticket) => Promise<void>;
  /** The machine was suspended for so many ms. */
  readonly suspended: (length: number) => void;
  /** Told before schedules go by the clocks: wall clock minus elapsed time. */
  readonly look: (offset: number, schedules: ReadonlySet<Schedule>) => void;
  readonly faults: Pick<Faults, "note">;
}

/** Runs schedules; see the head of this file. */
export class Scheduler {
  readonly #world: SchedulerWorld;
  readonly #schedules = new Set<Schedule>();
  /** By the time at which the first claimed slot starts or ends its grace. */
  readonly #due = new TimeHeap<Schedule>();
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
    this.#claimer = new Claimer(world, {
      tend: (schedule, moment) => {
        this.#tendSafely(schedule, moment);
      },
      claimed: (schedules) => {
        this.#tendAll(schedules, this.#moment());
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
      this.#due.set(schedule, Infinity);
      this.#claimer.remove(schedule);
      this.#miss(schedule, schedule.claims.splice(0), reason);
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
    this.#due.set(schedule, schedule.claims[0]?.due ?? Infinity);
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
      const due: Schedule[] = [];
      for (let s = this.#due.takeDue(moment.now); s; s = this.#due.takeDue(moment.now)) due.push(s);
      this.#tendAll(due, moment);
      this.#claimer.claim(moment);
      if (moment.now >= this.#nextTell) this.#tell(moment.now);
      void this.#world.committer.flushIdle().catch(() => undefined);
    } finally {
      this.#slept = false;
      this.#passing = false;
      this.#arm();
    }
  };

  /** Those with the earliest deadline first: the first to ask for a free lane gets it. */
  #tendAll(schedules: readonly Schedule[], moment: Moment): void {
    const [first, second] = schedules;
    if (second === undefined) {
      if (first !== undefined) this.#tendSafely(first, moment);
      return;
    }
    const order = schedules.map((schedule) => ({ schedule, deadline: schedule.deadline }));
    order.sort((a, b) => a.deadline - b.deadline || a.schedule.interval - b.schedule.interval);
    for (const { schedule } of order) this.#tendSafely(schedule, moment);
  }

  /** One schedule that can't be tended must not cost the others their turn; it is found stalled and restarted. */
  #tendSafely(schedule: Schedule, moment: Moment): void {
    try {
      this.#tend(schedule, moment);
    } catch (error) {
      this.#failed(schedule, error);
    }
  }

  #failed(schedule: Schedule, error: unknown): void {
    schedule.ticket?.leave();
    schedule.ticket = undefined;
    this.#world.faults.note(error, `in a slot of ${schedule.id}`, schedule.gateway.id);
  }

  #arm(): void {
    const { clock } = this.#world;
    const wakeAt = Math.min(
      this.#due.earliest,
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

  /** Starts the first claimed slot, or gives it up when its grace has ended. */
  #tend(schedule: Schedule, moment: Moment): void {
    for (let head = schedule.claims[0]; head !== undefined; head = schedule.claims[0]) {
      const end = head.due + schedule.grace;
      if (head.due > moment.now) {
        this.#due.set(schedule, head.due);
        return;
      }
      if (end <= moment.now) {
        this.#giveUp(schedule, head, this.#whyNot(schedule, head, moment));
      } else {
        this.#due.set(schedule, end);
        if (schedule.poll !== undefined || schedule.ticket !== undefined) return;
        if (schedule.isDisabled(moment.now)) this.#giveUp(schedule, head, "disabled");
        else if (head.claimed) this.#enter(schedule, head, end);
        if (schedule.claims[0] === head) return;
      }
    }
    // Nothing is left to start or to give up: the end of a grace that was met wakes nobody.
    this.#due.set(schedule, Infinity);
  }

  #enter(schedule: Schedule, head: ClaimedSlot, end: number): void {
    let entered = false;
    const begin = () => {
      if (!entered) return;
      try {
        this.#begin(schedule, head);
      } catch (error) {
        // Whoever left the lane calls this, and must not meet an error that is none of its own.
        this.#failed(schedule, error);
      }
    };
    schedule.ticket = schedule.lane.enter(end, schedule.interval, begin);
    entered = true;
    if (schedule.ticket.granted) begin();
  }

  #begin(schedule: Schedule, slot: ClaimedSlot): void {
    const { ticket } = schedule;
    if (ticket === undefined || schedule.claims[0] !== slot) return;
    const moment = this.#moment();
    const late = slot.due + schedule.grace <= moment.now;
    if (late || schedule.isDisabled(moment.now)) {
      this.#giveUp(schedule, slot, late ? this.#whyNot(schedule, slot, moment) : "disabled");
      this.#tend(schedule, moment);
      return;
    }
    schedule.claims.shift();
    schedule.ticket = undefined;
    schedule.account.begin(slot.seq);
    schedule.ended = this.#world.poll(schedule, slot, ticket).then(() => {
      if (!schedule.running) return;
      this.#tendSafely(schedule, this.#moment());
      this.#arm();
    });
  }

  #whyNot(schedule: Schedule, slot: ClaimedSlot, moment: Moment): MissReason {
    return missReason({
      suspended: moment.suspended,
      disabled: schedule.isDisabled(moment.now),
      store: !slot.claimed,
      busy: schedule.poll !== undefined || schedule.ticket !== undefined,
    });
  }

  /** Accounts the first claimed slot as missed. */
  #giveUp(schedule: Schedule, head: ClaimedSlot, reason: MissReason): void {
    schedule.claims.shift();
    this.#miss(schedule, [head], reason);
  }

  #miss(schedule: Schedule, slots: readonly ClaimedSlot[], reason: MissReason): void {
    schedule.ticket?.leave();
    schedule.ticket = undefined;
    const first = slots[0];
    const last = slots.at(-1);
    if (first === undefined || last === undefined) return;
    const range = { from: first.seq, to: last.seq, slotFrom: first.slot, slotTo: last.slot };
    const absence: Absence = { outcome: "missed", reason };
    // A claim that failed may be on disk or not: the position says again how far the account goes.
    this.#world.ledger.absent(schedule, range, absence, last.claimed ? undefined : last);
  }

  #tell(now: number): void {
    this.#nextTell = now + TELL_EVERY;
    for (const schedule of this.#schedules) {
      this.catchUp(schedule);
      this.#world.ledger.tellOpen(schedule);
    }
  }
}
