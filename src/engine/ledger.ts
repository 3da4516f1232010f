/** Claims and outcomes of schedules, on their way to the store; readings and gaps go with them. */
import type { Change, Gap, Run, SlotRange } from "../core/account.ts";
import { messageOf } from "../core/errors.ts";
import type { Absence, PolledOutcome } from "../core/outcome.ts";
import type { Clock, Log, Write } from "../core/ports.ts";
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

/** ms between two tries to write what must be written. */
const RETRY = 250;
/** ms after which an account is kept anew, so that a start need not read the ledger from its beginning. */
const KEEP_EVERY = 60_000;

/** What the ledger works with. */
export interface LedgerWorld {
  readonly node: string;
  readonly committer: Committer;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly log: Log;
  /** Something was added to the spool. */
  readonly spooled: () => void;
}

/** A polled slot with what came of it. */
export interface Polled {
  readonly slot: Slot;
  readonly outcome: PolledOutcome;
  /** ms, null when nothing was sent. */
  readonly late: number | null;
  readonly readings: readonly Reading[];
}

/** Writes claims and outcomes. */
export class Ledger {
  readonly #world: LedgerWorld;
  readonly #writing = new Set<Promise<unknown>>();
  #ended = false;

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
    const { slot, outcome, late, readings } = polled;
    const { epoch } = schedule.account;
    const change = schedule.account.finish(outcome, late);
    const messages = readings.map((reading) => readingMessage(schedule, reading));
    const appended = [
      this.#append(schedule, this.#gapMessages(schedule, change.before)),
      this.#append(schedule, messages),
      this.#append(schedule, this.#gapMessages(schedule, change.after)),
    ];
    const key = keys.outcome(schedule.id, epoch, slot.seq);
    const own = [{ key, value: encodePoll(outcome, late) }, ...this.#keep(schedule)];
    const runs = this.#runs(schedule, change.runs);
    const writes = () => [...own, ...runs()];
    const until = this.#world.clock.elapsed() + Math.max(schedule.interval, 10_000);
    const settled = this.#persist(schedule, writes, appended, until).then((kept) =>
      kept ? undefined : this.#giveUp(schedule, polled, appended, change),
    );
    this.#track(settled);
  }

  /** Settles when all that has to be written is on disk or given up. */
  async written(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing);
  }

  /** Tries no longer to write what the disk does not take. */
  end(): void {
    this.#ended = true;
  }

  /** Writes the account at the end of the process or of the schedule; not ahead of its outcomes. */
  async close(schedule: Schedule, closed: boolean): Promise<void> {
    if (schedule.writing > 0) return;
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

  /**
   * Writes runs as they are by then, with the position they need: a try that comes late must not put an
   * older state on disk, nor a run that reaches farther than the position.
   */
  #runs(schedule: Schedule, runs: readonly Run[]): () => Write[] {
    const { id, account } = schedule;
    const keyed = runs.map((run) => ({ key: keys.outcome(id, account.epoch, run.from), run }));
    for (const { key, run } of keyed) schedule.runs.set(key, run);
    return () => {
      const writes: Write[] = keyed.map(({ key, run }) => {
        return { key, value: encodeRun(schedule.runs.get(key) ?? run) };
      });
      const { reached } = schedule;
      if (runs.length > 0 && reached !== undefined) writes.push(this.#position(schedule, reached));
      return writes;
    };
  }

  #take(schedule: Schedule, change: Change, last?: Slot): void {
    if (last !== undefined) reach(schedule, last);
    const writes = this.#runs(schedule, change.runs);
    const messages = this.#gapMessages(schedule, [...change.before, ...change.after]);
    if (messages.length === 0) {
      this.#world.committer.later([...writes(), ...this.#keep(schedule)]);
      if (schedule.writing === 0) schedule.runs.clear();
      return;
    }
    this.#track(this.#persist(schedule, writes, [this.#append(schedule, messages)], Infinity));
  }

  #track(writing: Promise<unknown>): void {
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
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

  /** Tries until the disk has it, or until the elapsed time `until`; never rejects. */
  async #persist(
    schedule: Schedule,
    writes: () => readonly Write[],
    appended: readonly Appended[],
    until: number,
  ): Promise<boolean> {
    const { clock, committer, log, spooled } = this.#world;
    schedule.writing++;
    try {
      for (;;) {
        try {
          await committer.commit([...writes(), ...appended.flatMap((some) => some.writes)]);
          for (const some of appended) some.confirm();
          spooled();
          return true;
        } catch (error) {
          if (this.#ended || clock.elapsed() >= until) return false;
          log.debug(
            { schedule: schedule.id, error: messageOf(error) },
            "outcome not written, trying again",
          );
          await new Promise<void>((resolve) => clock.timer(RETRY, resolve));
        }
      }
    } finally {
      schedule.writing--;
      if (schedule.writing === 0) schedule.runs.clear();
    }
  }

  /** The outcome could not be written in time: the slot is unknown, and its gap takes the place of its readings. */
  async #giveUp(
    schedule: Schedule,
    polled: Polled,
    appended: readonly Appended[],
    change: Change,
  ): Promise<void> {
    const { seq, slot } = polled.slot;
    const absence: Absence = { outcome: "unknown", reason: "store" };
    const gap: Gap = { from: seq, to: seq, slotFrom: slot, slotTo: slot, absence };
    schedule.account.revise(polled.outcome, absence);
    schedule.keptAt = -Infinity;
    const run: Run = { ...gap, told: seq, untoldSlot: slot };
    const writes = this.#runs(schedule, [...change.runs, run]);
    for (const message of this.#gapMessages(schedule, [gap])) appended[1]?.replace(message);
    await this.#persist(schedule, writes, appended, Infinity);
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

/** The farther of the slots that were claimed or accounted, this one included. */
function reach(schedule: Schedule, last: Slot): Slot {
  const { reached } = schedule;
  if (reached !== undefined && reached.seq >= last.seq) return reached;
  schedule.reached = last;
  return last;
}

function readingMessage(schedule: Schedule, reading: Reading): Spooled {
  const { gateway, device, interval, slot } = reading;
  const configured = schedule.plan.devices.find((planned) => planned.device.id === device)?.device;
  const shortest = Math.min(...(configured?.points ?? []).map((point) => point.interval));
  const retain = configured?.retain === true && interval === shortest;
  return {
    topic: `readings/${gateway}/${device}`,
    retain,
    interval,
    slot,
    payload: readingText(reading),
  };
}
