/** A slot from its first request to its outcome: poll, readings, ledger. */
import type { PlannedRequest } from "../core/plan.ts";
import type { Clock, Log } from "../core/ports.ts";
import { outcomeOf, readingOf, type Reading, type RequestResult } from "../core/reading.ts";
import type { Devices } from "./devices.ts";
import { FailureLog } from "./failure-log.ts";
import type { Faults } from "./faults.ts";
import type { Learning } from "./learning.ts";
import type { Ledger } from "./ledger.ts";
import type { Ticket } from "./lane.ts";
import { Poll } from "./poll.ts";
import type { DeviceResult, PollResult } from "./poll-task.ts";
import type { ClaimedSlot, Schedule } from "./schedule.ts";

/** What the poller works with. */
export interface PollerWorld {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly devices: Devices;
  readonly faults: Pick<Faults, "note">;
  readonly learning: Learning;
}

/** Polls slots. */
export class Poller {
  readonly #world: PollerWorld;
  readonly #failures: FailureLog;

  constructor(world: PollerWorld) {
    this.#world = world;
    this.#failures = new FailureLog(world.log);
  }

  /** Polls a slot; settles when all its requests are settled, its outcome perhaps still being written. Never rejects. */
  poll = async (schedule: Schedule, slot: ClaimedSlot, ticket: Ticket): Promise<void> => {
    const { plan, link, lane, gateway, interval, timeout, devices } = schedule;
    const { clock } = this.#world;
    const { retries, pause, closeAfterPoll = false } = gateway;
    const { silent, breakers } = devices;
    const choice = breakers.begin(plan, clock.elapsed());
    const { due } = slot;
    const poll = new Poll({
      plan,
      link,
      lane,
      clock,
      interval,
      timeout,
      retries,
      pause,
      closeAfterPoll,
      due,
      silent,
      choice,
    });
    schedule.poll = poll;
    let result: PollResult = { devices: [], sentAt: null };
    try {
      result = await poll.run(ticket);
      if (result.thrown !== undefined) this.#fault(schedule, result.thrown);
    } catch (error) {
      ticket.leave();
      this.#fault(schedule, error);
    }
    schedule.poll = undefined;
    try {
      this.#settle(schedule, slot, result);
      // Another schedule may have found something out meanwhile: this poll was of a plan that is no more.
      if (schedule.plan === plan) this.#world.learning.polled(schedule, result.devices);
    } catch (error) {
      this.#fault(schedule, error);
    }
    breakers.end(choice);
  };

  #fault({ id, gateway }: Schedule, error: unknown): void {
    this.#world.faults.note(error, `in a poll of ${id}`, gateway.id);
  }

  #settle(schedule: Schedule, slot: ClaimedSlot, result: PollResult): void {
    const late = result.sentAt === null ? null : Math.max(0, result.sentAt - slot.due);
    const readings = this.#readings(schedule, slot, result, late);
    const all = result.devices.flatMap(({ results }) => results);
    const outcome = outcomeOf(all, readings);
    try {
      this.#world.devices.polled(schedule, result.devices, readings, outcome);
      this.#failures.polled(schedule, slot, result.devices);
    } catch (error) {
      // What becomes of a device must not cost the slot its outcome.
      this.#fault(schedule, error);
    }
    const left = result.devices.filter(({ role }) => role === "left-out");
    const leftOut = left.map(({ device }) => device.id);
    this.#world.ledger.settle(schedule, { slot, outcome, late, readings, leftOut });
  }

  #readings(
    schedule: Schedule,
    slot: ClaimedSlot,
    result: PollResult,
    late: number | null,
  ): Reading[] {
    const wallOffset = this.#world.clock.wall() - this.#world.clock.elapsed();
    return result.devices.map((one) => {
      try {
        return this.#reading(schedule, slot, one, late, wallOffset);
      } catch (error) {
        this.#fault(schedule, error);
        const results = one.results.map(({ request }) => unread(request));
        return this.#reading(schedule, slot, { ...one, results }, late, wallOffset);
      }
    });
  }

  #reading(
    { gateway, interval, account }: Schedule,
    slot: ClaimedSlot,
    { device, results, settledAt }: DeviceResult,
    late: number | null,
    wallOffset: number,
  ): Reading {
    // Written out: in the hot path a literal costs a tenth of one that is spread together.
    return readingOf({
      node: this.#world.node,
      gateway: gateway.id,
      device: device.id,
      interval,
      epoch: account.epoch,
      seq: slot.seq,
      slot: slot.slot,
      results,
      late,
      settledAt,
      wallOffset,
      clockUnsure: slot.clockUnsure,
    });
  }
}

/** A request of which nothing can be said, because what was answered can't be read. */
function unread(request: PlannedRequest): RequestResult {
  return { request, last: "stopped", earlier: [] };
}
