/** Starts claimed slots when they are due, and gives up those that could not start within their grace. */
import { missReason, type Absence, type MissReason } from "../core/outcome.ts";
import type { Moment } from "./claimer.ts";
import type { Faults } from "./faults.ts";
import { TimeHeap } from "./heap.ts";
import type { Ticket } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import type { ClaimedSlot, Schedule } from "./schedule.ts";

/** What the starter works with. */
export interface StarterWorld {
  readonly ledger: Ledger;
  /** Polls a slot; settles when all its requests are settled. Never rejects. */
  readonly poll: (schedule: Schedule, slot: ClaimedSlot, ticket: Ticket) => Promise<void>;
  readonly faults: Pick<Faults, "note">;
}

/** What the starter asks of the scheduler. */
export interface StarterHands {
  /** The clocks as they stand. */
  readonly moment: () => Moment;
  /** Wakes the scheduler when the next slot is due. */
  readonly arm: () => void;
}

/** See the head of this file. */
export class Starter {
  readonly #world: StarterWorld;
  readonly #hands: StarterHands;
  /** By the time at which the first claimed slot starts or ends its grace. */
  readonly #due = new TimeHeap<Schedule>();

  constructor(world: StarterWorld, hands: StarterHands) {
    this.#world = world;
    this.#hands = hands;
  }

  /** Elapsed time at which the next schedule is to be tended. */
  get nextAt(): number {
    return this.#due.earliest;
  }

  /** Looks at a schedule again when its first claimed slot is due. */
  add(schedule: Schedule): void {
    this.#due.set(schedule, schedule.claims[0]?.due ?? Infinity);
  }

  /** Looks at a schedule no more. */
  remove(schedule: Schedule): void {
    this.#due.set(schedule, Infinity);
  }

  /** Tends all schedules whose time has come. */
  tendDue(moment: Moment): void {
    const due: Schedule[] = [];
    for (let s = this.#due.takeDue(moment.now); s; s = this.#due.takeDue(moment.now)) due.push(s);
    this.tendAll(due, moment);
  }

  /** Those with the earliest deadline first: the first to ask for a free lane gets it. */
  tendAll(schedules: readonly Schedule[], moment: Moment): void {
    const [first, second] = schedules;
    if (second === undefined) {
      if (first !== undefined) this.tend(first, moment);
      return;
    }
    const order = schedules.map((schedule) => ({ schedule, deadline: schedule.deadline }));
    order.sort((a, b) => a.deadline - b.deadline || a.schedule.interval - b.schedule.interval);
    for (const { schedule } of order) this.tend(schedule, moment);
  }

  /** One schedule that can't be tended must not cost the others their turn; it is found stalled and restarted. */
  tend(schedule: Schedule, moment: Moment): void {
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
    const moment = this.#hands.moment();
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
      this.tend(schedule, this.#hands.moment());
      this.#hands.arm();
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
    this.miss(schedule, [head], reason);
  }

  /** Accounts the first claimed slots of a schedule, which are claimed no more, as missed. */
  miss(schedule: Schedule, slots: readonly ClaimedSlot[], reason: MissReason): void {
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
}
