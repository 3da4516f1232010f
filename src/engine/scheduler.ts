/**
 * When things happen: one timer for all schedules. A pass claims what is due soon, starts what is due
 * now, and gives up what could not start within its grace.
 */
import { advance, countDue } from "../core/grid.ts";
import { missReason, type Absence, type MissReason } from "../core/outcome.ts";
import type { Clock } from "../core/ports.ts";
import type { Committer } from "./committer.ts";
import { TimeHeap } from "./heap.ts";
import type { Ledger } from "./ledger.ts";
import type { Ticket } from "./lane.ts";
import type { ClaimedSlot, Schedule, Slot } from "./schedule.ts";

/** Longest sleep, ms: suspends and clock steps are noticed at least this often. */
const LONGEST_SLEEP = 1000;
/** A claim is begun this much earlier than commits take, ms; timers are a millisecond coarse. */
const MARGIN = 2;
/** Bounds of how far ahead slots are claimed when that is not configured, ms. */
const SHORTEST_LEAD = 5;
const LONGEST_LEAD = 250;
/** ms until a failed claim is tried again. */
const CLAIM_RETRY = 250;
/** ms between gap messages of a run that goes on. */
const TELL_EVERY = 3_600_000;

/** What the scheduler works with. */
export interface SchedulerWorld {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly committer: Committer;
  /** How far ahead slots are claimed, ms; undefined: as long as a commit takes. */
  readonly claimAhead?: number;
  /** Polls a slot; settles when all its requests are settled. Never rejects. */
  readonly poll: (schedule: Schedule, slot: Slot, ticket: Ticket) => Promise<void>;
  /** The wall clock was stepped: by how many ms, and the first seq after it. */
  readonly stepped: (schedule: Schedule, step: { size: number; seq: number }) => void;
  /** The machine was suspended for so many ms. */
  readonly suspended: (length: number) => void;
}

/** What holds for a whole pass. */
interface Moment {
  readonly now: number;
  /** Wall clock minus elapsed time. */
  readonly offset: number;
  readonly suspended: boolean;
}

/** Runs schedules; see the head of this file. */
export class Scheduler {
  readonly #world: SchedulerWorld;
  readonly #schedules = new Set<Schedule>();
  /** By the time at which the first claimed slot starts or ends its grace. */
  readonly #due = new TimeHeap<Schedule>();
  /** By the time at which the next slot that is not claimed is due. */
  readonly #unclaimed = new TimeHeap<Schedule>();
  #cancel: (() => void) | undefined;
  #wakeAt = Infinity;
  #passing = false;
  #open = false;
  /** Whether the machine slept since the last pass. */
  #slept = false;
  /** Schedules with a claim that failed, until it is tried again. */
  readonly #unwritten = new Set<Schedule>();
  #passes = 0;
  #nextTell: number;

  constructor(world: SchedulerWorld) {
    this.#world = world;
    this.#nextTell = world.clock.elapsed() + TELL_EVERY;
  }

  /** Passes made so far: a number that stands still shows a scheduler that does. */
  get passes(): number {
    return this.#passes;
  }

  /** Knows a schedule from now on; it runs from `open` on, or once `start` is called. */
  add(schedule: Schedule, running: boolean): void {
    this.#schedules.add(schedule);
    schedule.running = running;
  }

  /** Begins to make passes. Slots whose grace ended before are missed: the process was down. */
  open(): void {
    this.#open = true;
    const moment = this.#moment();
    for (const schedule of this.#schedules) {
      if (!schedule.running) continue;
      const absence: Absence = { outcome: "missed", reason: "down" };
      this.#passBy(schedule, moment.now - schedule.grace, moment, absence);
      this.#unclaimed.set(schedule, schedule.next.due);
    }
    this.#pass();
  }

  /** Runs a schedule; slots that passed while it was stopped are missed. */
  start(schedule: Schedule): void {
    if (schedule.running) return;
    this.catchUp(schedule);
    schedule.running = true;
    this.#unclaimed.set(schedule, schedule.next.due);
    this.#pass();
  }

  /** Stops a schedule: the request in flight ends, no other is sent. Settles when the poll that runs has ended. */
  async stop(schedule: Schedule, reason: "stopped" | "down"): Promise<void> {
    if (schedule.running) {
      schedule.running = false;
      schedule.idle = reason;
      this.#due.set(schedule, Infinity);
      this.#unclaimed.set(schedule, Infinity);
      this.#miss(schedule, schedule.claims.splice(0), reason);
      schedule.poll?.stop();
    }
    await schedule.ended;
  }

  /** Accounts the slots that passed while a schedule was stopped. */
  catchUp(schedule: Schedule): void {
    if (schedule.running) return;
    const moment = this.#moment();
    this.#passBy(schedule, moment.now, moment, { outcome: "missed", reason: schedule.idle });
  }

  /** Ends all passes. */
  close(): void {
    this.#open = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A suspend must be noticed before the clocks are compared, or it looks like a step. */
  #moment(): Moment {
    const { clock, suspended } = this.#world;
    const length = clock.noticeSuspend();
    if (length > 0) {
      this.#slept = true;
      suspended(length);
    }
    const now = clock.elapsed();
    return { now, offset: clock.wall() - now, suspended: this.#slept };
  }

  #pass = (): void => {
    if (!this.#open || this.#passing) return;
    this.#passing = true;
    this.#passes++;
    const moment = this.#moment();
    const due: Schedule[] = [];
    for (let s = this.#due.takeDue(moment.now); s; s = this.#due.takeDue(moment.now)) due.push(s);
    this.#tendAll(due, moment);
    this.#claim(moment);
    if (moment.now >= this.#nextTell) this.#tell(moment.now);
    void this.#world.committer.flushIdle().catch(() => undefined);
    this.#slept = false;
    this.#passing = false;
    this.#arm();
  };

  /** Those with the earliest deadline first: the first to ask for a free lane gets it. */
  #tendAll(schedules: readonly Schedule[], moment: Moment): void {
    const order = schedules.map((schedule) => ({ schedule, deadline: deadlineOf(schedule) }));
    order.sort((a, b) => a.deadline - b.deadline || a.schedule.interval - b.schedule.interval);
    for (const { schedule } of order) this.#tend(schedule, moment);
  }

  #arm(): void {
    const { clock } = this.#world;
    const claimAt = this.#unclaimed.earliest - this.#lead();
    const wakeAt = Math.min(this.#due.earliest, claimAt, clock.elapsed() + LONGEST_SLEEP);
    if (this.#cancel !== undefined && this.#wakeAt <= wakeAt) return;
    this.#cancel?.();
    this.#wakeAt = wakeAt;
    this.#cancel = clock.timer(Math.max(1, Math.ceil(wakeAt - clock.elapsed())), () => {
      this.#cancel = undefined;
      this.#pass();
    });
  }

  /** ms before a slot is due at which its claim must be on its way. */
  #lead(): number {
    const usual = this.#world.committer.slowest + MARGIN;
    return Math.min(Math.max(usual, SHORTEST_LEAD), LONGEST_LEAD);
  }

  /** Claims every slot that is due within the horizon, once one of them needs it. */
  #claim(moment: Moment): void {
    const lead = this.#lead();
    if (this.#unclaimed.earliest - lead > moment.now) return;
    const horizon = moment.now + Math.max(lead, this.#world.claimAhead ?? 0);
    const taken = new Map<Schedule, ClaimedSlot[]>();
    for (let s = this.#unclaimed.takeDue(horizon); s; s = this.#unclaimed.takeDue(horizon)) {
      this.#passExpired(s, moment);
      const slots = this.#takeSlots(s, horizon, moment);
      if (slots.length > 0) taken.set(s, slots);
      this.#unclaimed.set(s, s.next.due);
    }
    if (taken.size > 0) void this.#write(taken);
  }

  /** Takes the slots due within the horizon off the grid. */
  #takeSlots(schedule: Schedule, horizon: number, moment: Moment): ClaimedSlot[] {
    const slots: ClaimedSlot[] = [];
    while (schedule.next.due <= horizon) {
      const { seq, slot, due } = schedule.next;
      slots.push({ seq, slot, due, claimed: false });
      this.#advance(schedule, 1, moment);
    }
    schedule.claims.push(...slots);
    this.#tend(schedule, moment);
    return slots;
  }

  async #write(taken: ReadonlyMap<Schedule, readonly ClaimedSlot[]>): Promise<void> {
    const { clock, ledger } = this.#world;
    try {
      await ledger.claim(taken);
    } catch {
      // The committer has logged it. Slots whose grace ends meanwhile are missed for want of a claim.
      if (this.#unwritten.size === 0) clock.timer(CLAIM_RETRY, this.#retry);
      for (const schedule of taken.keys()) this.#unwritten.add(schedule);
      return;
    }
    for (const slots of taken.values()) for (const slot of slots) slot.claimed = true;
    const running = [...taken.keys()].filter((schedule) => schedule.running);
    this.#tendAll(running, this.#moment());
    this.#arm();
  }

  #retry = (): void => {
    const left = new Map<Schedule, ClaimedSlot[]>();
    for (const schedule of this.#unwritten) {
      const open = schedule.claims.filter((slot) => !slot.claimed);
      if (open.length > 0) left.set(schedule, open);
    }
    this.#unwritten.clear();
    if (left.size > 0 && this.#open) void this.#write(left);
  };

  /** Starts the first claimed slot, or gives it up when its grace has ended. */
  #tend(schedule: Schedule, moment: Moment): void {
    for (let head = schedule.claims[0]; head !== undefined; head = schedule.claims[0]) {
      const end = head.due + schedule.grace;
      if (head.due > moment.now) {
        this.#due.set(schedule, head.due);
        return;
      }
      if (end <= moment.now) {
        const reason = this.#whyNot(schedule, head, moment);
        schedule.claims.shift();
        this.#miss(schedule, [head], reason);
      } else {
        this.#due.set(schedule, end);
        if (!head.claimed || schedule.poll !== undefined || schedule.ticket !== undefined) return;
        this.#enter(schedule, head, end);
        if (schedule.claims[0] === head) return;
      }
    }
  }

  #enter(schedule: Schedule, head: ClaimedSlot, end: number): void {
    let entered = false;
    const begin = () => {
      if (entered) this.#begin(schedule, head);
    };
    schedule.ticket = schedule.lane.enter(end, schedule.interval, begin);
    entered = true;
    if (schedule.ticket.granted) begin();
  }

  #begin(schedule: Schedule, slot: ClaimedSlot): void {
    const { ticket } = schedule;
    if (ticket === undefined || schedule.claims[0] !== slot) return;
    const moment = this.#moment();
    if (slot.due + schedule.grace <= moment.now) {
      this.#tend(schedule, moment);
      return;
    }
    schedule.claims.shift();
    schedule.ticket = undefined;
    schedule.account.begin(slot.seq);
    schedule.ended = this.#world.poll(schedule, slot, ticket).then(() => {
      if (!schedule.running) return;
      this.#tend(schedule, this.#moment());
      this.#arm();
    });
  }

  #whyNot(schedule: Schedule, slot: ClaimedSlot, moment: Moment): MissReason {
    return missReason({
      suspended: moment.suspended,
      store: !slot.claimed,
      busy: schedule.poll !== undefined || schedule.ticket !== undefined,
    });
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

  /** Slots whose grace ended before they were even claimed: the process was late or the machine asleep. */
  #passExpired(schedule: Schedule, moment: Moment): void {
    if (schedule.next.due + schedule.grace > moment.now) return;
    this.#tend(schedule, moment);
    const reason = missReason({
      suspended: moment.suspended,
      busy: schedule.poll !== undefined || schedule.ticket !== undefined,
    });
    const until = moment.now - schedule.grace;
    this.#passBy(schedule, until, moment, { outcome: "missed", reason });
  }

  /** Accounts slots that were never claimed and are due at or before `until`. */
  #passBy(schedule: Schedule, until: number, moment: Moment, absence: Absence): void {
    const count = countDue(schedule.next, until, moment.offset);
    if (count === 0) return;
    const first = schedule.next;
    if (count > 1) this.#advance(schedule, count - 1, moment);
    const last = schedule.next;
    this.#advance(schedule, 1, moment);
    const range = { from: first.seq, to: last.seq, slotFrom: first.slot, slotTo: last.slot };
    this.#world.ledger.absent(schedule, range, absence, last);
  }

  #advance(schedule: Schedule, count: number, moment: Moment): void {
    const { grid, step } = advance(schedule.next, count, moment.offset);
    schedule.next = grid;
    if (step !== undefined) this.#world.stepped(schedule, step);
  }

  #tell(now: number): void {
    this.#nextTell = now + TELL_EVERY;
    for (const schedule of this.#schedules) {
      this.catchUp(schedule);
      this.#world.ledger.tellOpen(schedule);
    }
  }
}

/** End of the grace of the first slot that is not begun. */
function deadlineOf({ claims, grace }: Schedule): number {
  return (claims[0]?.due ?? Infinity) + grace;
}
