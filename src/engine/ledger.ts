/** Claims and outcomes of schedules, on their way to the store; readings and gaps go with them. */
import type { Change, Gap, Run, SlotRange } from "../core/account.ts";
import type { Absence, PolledOutcome } from "../core/outcome.ts";
import type { Clock, Write } from "../core/ports.ts";
import { readingText, type Reading } from "../core/reading.ts";
import {
  encodeClaim,
  encodePoll,
  encodeRun,
  keys,
  type AccountRecord,
  type Spooled,
} from "../core/records.ts";
import type { Committer } from "./committer.ts";
import type { ClaimedSlot, Schedule, Slot } from "./schedule.ts";
import type { Appended } from "./spool-parts.ts";
import type { Spool } from "./spool.ts";

/** ms after which an account is kept anew, so that a start need not read the ledger from its beginning. */
const KEEP_EVERY = 60_000;

/**
 * ms that outcomes and gaps wait for company: a twentieth of the interval within these bounds. Polls end one after
 * the other, and the claims of others follow: one sync and one wake-up for all of them instead of one each.
 */
const LEAST_PATIENCE = 20;
const MOST_PATIENCE = 50;

/** What the ledger works with. */
export interface LedgerWorld {
  readonly node: string;
  readonly committer: Committer;
  readonly spool: Spool;
  readonly clock: Clock;
  /** Something was added to the spool. */
  readonly spooled: () => void;
  /** Slots were due and not polled, though the gateway was meant to run. */
  readonly missed: (gateway: string, slots: number) => void;
}

/** A polled slot with what came of it. */
export interface Polled {
  readonly slot: Slot;
  readonly outcome: PolledOutcome;
  /** ms, null when nothing was sent. */
  readonly late: number | null;
  readonly readings: readonly Reading[];
  /** Devices that were not asked, because their breakers were open. */
  readonly leftOut: readonly string[];
}

/** Writes claims and outcomes. */
export class Ledger {
  readonly #world: LedgerWorld;
  /** Writes on their way, and who waits until there are none. */
  #writing = 0;
  #idle: (() => void)[] = [];

  constructor(world: LedgerWorld) {
    this.#world = world;
  }

  /** Claims slots of several schedules in one synced batch; when it settles they may be polled. Rejects when the store failed. */
  async claim(taken: ReadonlyMap<Schedule, readonly ClaimedSlot[]>): Promise<void> {
    const writes = [...taken].flatMap(([schedule, slots]) => {
      const last = slots.at(-1);
      return last === undefined ? [] : [this.#position(schedule, last)];
    });
    await this.#world.committer.commit(writes);
  }

  /** Slots without a reading. `last` is the last of them when they were never claimed. */
  absent(schedule: Schedule, range: SlotRange, absence: Absence, last?: Slot): void {
    const change = schedule.account.absent(range, absence);
    const slots = range.to - range.from + 1;
    if (absence.reason !== "stopped") this.#world.missed(schedule.gateway.id, slots);
    this.#take(schedule, change, last);
  }

  /** Tells what is not yet told of the run that goes on. */
  tellOpen(schedule: Schedule): void {
    this.#take(schedule, schedule.account.tellOpen());
  }

  /** Writes what a recovered or ended account brought. */
  adopt(schedule: Schedule, changes: readonly Change[], position: Slot | undefined): void {
    const last = changes.at(-1);
    for (const change of changes) {
      this.#take(schedule, change, change === last ? position : undefined);
    }
    if (last === undefined && position !== undefined) {
      this.#world.committer.later([this.#position(schedule, position)]);
    }
  }

  /** The outcome of a polled slot and its readings, in one synced batch. Tried until it is known whether they are kept. */
  settle(schedule: Schedule, polled: Polled): void {
    const { slot, outcome, late, readings, leftOut } = polled;
    const { epoch } = schedule.account;
    const change = schedule.account.finish(outcome, late);
    const messages = readings.map((reading) => readingMessage(schedule, reading));
    const before = this.#gaps(schedule, change.before);
    const own = this.#append(schedule, messages);
    const appended = [...before, own, ...this.#gaps(schedule, change.after)];
    const key = keys.outcome(schedule.id, epoch, slot.seq);
    const runs = runWrites(schedule, change.runs);
    let writes: Write[] = [{ key, value: encodePoll(outcome, late, leftOut) }];
    writes.push(...this.#keep(schedule), ...runs);
    const until = this.#world.clock.elapsed() + Math.max(schedule.interval, 10_000);
    let givenUp = false;
    const failed = () => {
      if (givenUp || this.#world.clock.elapsed() < until) return;
      givenUp = true;
      writes = [...runs, ...this.#giveUp(schedule, polled, own)];
    };
    this.#persist(schedule, () => writes, appended, failed);
  }

  /** Settles when all that has to be written is on disk or given up. */
  async written(): Promise<void> {
    if (this.#writing > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Writes the account at the end of the process or of the schedule. */
  async close(schedule: Schedule, closed: boolean): Promise<void> {
    const record: AccountRecord = { ...schedule.account.keep(), closed };
    const write = { key: keys.account(schedule.id), value: JSON.stringify(record) };
    await this.#world.committer.commit([write]);
  }

  /** The record of how far slots are claimed or accounted; it never goes back. */
  #position(schedule: Schedule, last: Slot): Write {
    const { account, writing } = schedule;
    if (writing === 0) schedule.settled = account.settled;
    const { seq, slot, due } = reach(schedule, last);
    const { settled } = schedule;
    const boot = this.#world.clock.bootId;
    const claim = { epoch: account.epoch, claimed: seq, settled, slot, due, boot };
    return { key: keys.claim(schedule.id), value: encodeClaim(claim) };
  }

  #take(schedule: Schedule, change: Change, last?: Slot): void {
    const position = last === undefined ? [] : [this.#position(schedule, last)];
    const writes = [...runWrites(schedule, change.runs), ...position];
    const messages = this.#gapMessages(schedule, [...change.before, ...change.after]);
    if (messages.length === 0) {
      this.#world.committer.later([...writes, ...this.#keep(schedule)]);
      return;
    }
    const appended = [this.#append(schedule, messages)];
    this.#persist(
      schedule,
      () => writes,
      appended,
      () => undefined,
    );
  }

  /** The account as it stands with what is being written, now and then. */
  #keep(schedule: Schedule): Write[] {
    const now = this.#world.clock.elapsed();
    const { account, writing } = schedule;
    if (now - schedule.keptAt < KEEP_EVERY || writing > 0 || account.settled < account.last)
      return [];
    schedule.keptAt = now;
    const record: AccountRecord = { ...account.keep(), closed: false };
    return [{ key: keys.account(schedule.id), value: JSON.stringify(record) }];
  }

  /** Sees to it that the disk gets it, before all that comes later. */
  #persist(
    schedule: Schedule,
    writes: () => readonly Write[],
    appended: readonly Appended[],
    failed: () => void,
  ): void {
    const { committer, spooled } = this.#world;
    schedule.writing++;
    const all = () => [...writes(), ...appended.flatMap((some) => some.writes)];
    this.#writing++;
    void committer.keep(all, failed, patienceOf(schedule)).then((kept) => {
      schedule.writing--;
      this.#writing--;
      if (kept) for (const some of appended) some.confirm();
      if (kept) spooled();
      if (this.#writing === 0) for (const idle of this.#idle.splice(0)) idle();
    });
  }

  /** The outcome could not be written in time: the slot is unknown, and its gap takes the place of its readings. */
  #giveUp(schedule: Schedule, polled: Polled, readings: Appended): Write[] {
    const { seq, slot } = polled.slot;
    const absence: Absence = { outcome: "unknown", reason: "store" };
    const gap: Gap = { from: seq, to: seq, slotFrom: slot, slotTo: slot, absence };
    schedule.account.revise(polled.outcome, absence);
    schedule.keptAt = -Infinity;
    for (const message of this.#gapMessages(schedule, [gap])) readings.replace(message);
    return runWrites(schedule, [{ ...gap, told: seq, untoldSlot: slot }]);
  }

  /** The messages of gaps, about to be committed; most polls have none to tell. */
  #gaps(schedule: Schedule, gaps: readonly Gap[]): Appended[] {
    return gaps.length === 0 ? [] : [this.#append(schedule, this.#gapMessages(schedule, gaps))];
  }

  #append(schedule: Schedule, messages: readonly Spooled[]): Appended {
    return this.#world.spool.append(schedule.gateway.id, messages);
  }

  #gapMessages(schedule: Schedule, gaps: readonly Gap[]): Spooled[] {
    const { gateway, interval, account } = schedule;
    return gaps.map(({ from, to, slotFrom, slotTo, absence }) => {
      const payload = {
        node: this.#world.node,
        gateway: gateway.id,
        interval,
        epoch: account.epoch,
        ...{ from, to, slotFrom, slotTo },
        ...absence,
      };
      const topic = `gaps/${gateway.id}`;
      return { topic, retain: false, interval: 0, slot: slotTo, payload: JSON.stringify(payload) };
    });
  }
}

function patienceOf({ interval }: Schedule): number {
  return Math.round(Math.min(Math.max(interval / 20, LEAST_PATIENCE), MOST_PATIENCE));
}

function runWrites(schedule: Schedule, runs: readonly Run[]): Write[] {
  const { id, account } = schedule;
  return runs.map((run) => {
    return { key: keys.outcome(id, account.epoch, run.from), value: encodeRun(run) };
  });
}

/** The farther of the slots that were claimed or accounted, this one included. */
function reach(schedule: Schedule, last: Slot): Slot {
  const { reached } = schedule;
  if (reached !== undefined && reached.seq >= last.seq) return reached;
  schedule.reached = last;
  return last;
}

function readingMessage(schedule: Schedule, reading: Reading): Spooled {
  const { gateway, device, interval, slot } = reading;
  const planned = schedule.plan.devices.find((each) => each.device.id === device);
  return {
    topic: `readings/${gateway}/${device}`,
    retain: planned?.retain === true,
    interval,
    slot,
    payload: readingText(reading),
  };
}
