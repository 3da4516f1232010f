/** A slot from its first request to its outcome: poll, readings, ledger. */
import { messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import { outcomeOf, readingOf, type Reading } from "../core/reading.ts";
import type { Devices } from "./devices.ts";
import { FailureLog } from "./failure-log.ts";
import type { Ledger } from "./ledger.ts";
import type { Ticket } from "./lane.ts";
import { Poll, type PollResult } from "./poll.ts";
import type { ClaimedSlot, Schedule } from "./schedule.ts";

/** What the poller works with. */
export interface PollerWorld {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly devices: Devices;
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
    } catch (error) {
      ticket.leave();
      this.#world.log.error({ schedule: schedule.id, error: messageOf(error) }, "a poll broke off");
    }
    schedule.poll = undefined;
    this.#settle(schedule, slot, result);
    breakers.end(choice);
  };

  #settle(schedule: Schedule, slot: ClaimedSlot, result: PollResult): void {
    const late = result.sentAt === null ? null : Math.max(0, result.sentAt - slot.due);
    const readings = this.#readings(schedule, slot, result, late);
    const all = result.devices.flatMap(({ results }) => results);
    const outcome = outcomeOf(all, readings);
    this.#world.devices.polled(schedule, result.devices, readings, outcome);
    this.#failures.polled(schedule, slot, result.devices);
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
    const { node, clock } = this.#world;
    const { gateway, interval, account } = schedule;
    const wallOffset = clock.wall() - clock.elapsed();
    // Written out: in the hot path a literal costs a tenth of one that is spread together.
    return result.devices.map(({ device, results, settledAt }) =>
      readingOf({
        node,
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
      }),
    );
  }
}
