/** Takes slots off the grid: claims those that are due soon, in one batch, and accounts those that passed unclaimed. */
import { advance, countDue } from "../core/grid.ts";
import { missReason, type Absence } from "../core/outcome.ts";
import type { Clock } from "../core/ports.ts";
import type { ClockTrust } from "./clock-trust.ts";
import type { Committer } from "./committer.ts";
import { TimeHeap } from "./heap.ts";
import type { Ledger } from "./ledger.ts";
import type { ClaimedSlot, Schedule } from "./schedule.ts";

/** A claim is begun this much earlier than commits take, ms; timers are a millisecond coarse. */
const MARGIN = 2;
/** Bounds of how far ahead slots are claimed when that is not configured, ms. */
const SHORTEST_LEAD = 5;
/** The upper one. */
export const LONGEST_LEAD = 250;
/**
 * The least horizon, ms, and as a share of the interval: slots that are near share a sync, and the
 * wake-ups it takes; more of a short interval would cost more unknown slots after a crash.
 */
const TOGETHER = 50;
const SHARE = 1 / 20;
/** ms until a failed claim is tried again. */
const CLAIM_RETRY = 250;

/** What the claimer works with. */
export interface ClaimerWorld {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly committer: Committer;
  readonly trust: ClockTrust;
  /** How far ahead slots are claimed, ms; undefined: as long as a commit takes. */
  readonly claimAhead?: number;
  /** The wall clock was stepped: by how many ms, and the first seq after it. */
  readonly stepped: (schedule: Schedule, step: { size: number; seq: number }) => void;
}

/** What the claimer asks of the scheduler. */
export interface ClaimerHands {
  /** Starts the first claimed slot, or gives it up. */
  readonly tend: (schedule: Schedule, moment: Moment) => void;
  /** The claims of these schedules are on disk. */
  readonly claimed: (schedules: readonly Schedule[]) => void;
}

/** What holds for a whole pass. */
export interface Moment {
  readonly now: number;
  /** Wall clock minus elapsed time. */
  readonly offset: number;
  readonly suspended: boolean;
}

/** Claims slots ahead. */
export class Claimer {
  readonly #world: ClaimerWorld;
  readonly #hands: ClaimerHands;
  /** By the time at which the next slot that is not claimed is due. */
  readonly #unclaimed = new TimeHeap<Schedule>();
  /** Schedules with a claim that failed, until it is tried again. */
  readonly #unwritten = new Set<Schedule>();

  constructor(world: ClaimerWorld, hands: ClaimerHands) {
    this.#world = world;
    this.#hands = hands;
  }

  /** Elapsed time at which the next claim must be on its way. */
  get nextAt(): number {
    return this.#unclaimed.earliest - this.#lead();
  }

  /** Claims the slots of a schedule from now on. */
  add(schedule: Schedule): void {
    this.#unclaimed.set(schedule, schedule.next.due);
  }

  /** Claims no further slots of a schedule. */
  remove(schedule: Schedule): void {
    this.#unclaimed.set(schedule, Infinity);
  }

  /** ms before a slot is due at which its claim must be on its way. */
  #lead(): number {
    const usual = this.#world.committer.slowest + MARGIN;
    return Math.min(Math.max(usual, SHORTEST_LEAD), LONGEST_LEAD);
  }

  /** Claims every slot that is due within the horizon, once one of them needs it. */
  claim(moment: Moment): void {
    const lead = this.#lead();
    if (this.#unclaimed.earliest - lead > moment.now) return;
    const ahead = Math.max(lead, this.#world.claimAhead ?? 0);
    const taken = new Map<Schedule, ClaimedSlot[]>();
    for (const schedule of this.#takeNear(moment.now + Math.max(ahead, TOGETHER))) {
      const horizon = moment.now + Math.max(ahead, Math.min(TOGETHER, schedule.interval * SHARE));
      if (schedule.next.due <= horizon) {
        this.#passExpired(schedule, moment);
        const slots = this.#takeSlots(schedule, horizon, moment);
        if (slots.length > 0) taken.set(schedule, slots);
      }
      this.#unclaimed.set(schedule, schedule.next.due);
    }
    if (taken.size > 0) void this.#write(taken);
  }

  #takeNear(farthest: number): Schedule[] {
    const near: Schedule[] = [];
    let next = this.#unclaimed.takeDue(farthest);
    for (; next !== undefined; next = this.#unclaimed.takeDue(farthest)) near.push(next);
    return near;
  }

  /** Takes the slots due within the horizon off the grid. */
  #takeSlots(schedule: Schedule, horizon: number, moment: Moment): ClaimedSlot[] {
    const slots: ClaimedSlot[] = [];
    const clockUnsure = this.#world.trust.claiming();
    while (schedule.next.due <= horizon) {
      const { seq, slot, due } = schedule.next;
      slots.push({ seq, slot, due, claimed: false, clockUnsure });
      this.#advance(schedule, 1, moment);
    }
    schedule.claims.push(...slots);
    this.#hands.tend(schedule, moment);
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
    this.#hands.claimed([...taken.keys()].filter((schedule) => schedule.running));
  }

  #retry = (): void => {
    const left = new Map<Schedule, ClaimedSlot[]>();
    for (const schedule of this.#unwritten) {
      const open = schedule.claims.filter((slot) => !slot.claimed);
      if (open.length > 0) left.set(schedule, open);
    }
    this.#unwritten.clear();
    if (left.size > 0) void this.#write(left);
  };

  /** Slots whose grace ended before they were even claimed: the process was late or the machine asleep. */
  #passExpired(schedule: Schedule, moment: Moment): void {
    if (schedule.next.due + schedule.grace > moment.now) return;
    this.#hands.tend(schedule, moment);
    const reason = missReason({
      suspended: moment.suspended,
      disabled: schedule.isDisabled(moment.now),
      busy: schedule.poll !== undefined || schedule.ticket !== undefined,
    });
    const until = moment.now - schedule.grace;
    this.passBy(schedule, until, moment, { outcome: "missed", reason });
  }

  /** Accounts slots that were never claimed and are due at or before `until`. */
  passBy(schedule: Schedule, until: number, moment: Moment, absence: Absence): void {
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
}
