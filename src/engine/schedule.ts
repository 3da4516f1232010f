/** One schedule at run time: its grid, what is claimed ahead, and the poll that runs. */
import type { Account } from "../core/account.ts";
import { graceOf, type Grid } from "../core/grid.ts";
import { scheduleId, timeoutOf, type Gateway } from "../core/model.ts";
import type { Plan } from "../core/plan.ts";
import type { Link } from "../core/ports.ts";
import { Watch } from "../core/supervision.ts";
import { Bisection } from "./bisection.ts";
import type { GatewayDevices } from "./devices.ts";
import type { Lane, Ticket } from "./lane.ts";
import type { Poll } from "./poll.ts";

/** One due time of a schedule. */
export interface Slot {
  readonly seq: number;
  /** Nominal due time, wall clock. */
  readonly slot: number;
  /** Elapsed time at which it is due. */
  readonly due: number;
}

/** A slot that is to be polled: claimed on disk, or about to be. */
export interface ClaimedSlot extends Slot {
  claimed: boolean;
  /** Whether the wall clock could not be relied on when it was taken. */
  readonly clockUnsure: boolean;
}

/** What a schedule is made from. */
export interface ScheduleParts {
  readonly gateway: Gateway;
  readonly interval: number;
  readonly plan: Plan;
  readonly link: Link;
  readonly lane: Lane;
  readonly account: Account;
  readonly next: Grid;
  /** Shared by the schedules of a gateway. */
  readonly devices: GatewayDevices;
}

/** State of one schedule; the scheduler moves it. */
export class Schedule {
  readonly id: string;
  readonly gateway: Gateway;
  readonly interval: number;
  /** ms after its due time within which a slot may start. */
  readonly grace: number;
  readonly timeout: number;
  /** Changes between two polls only. */
  plan: Plan;
  bisection = new Bisection();
  readonly link: Link;
  readonly lane: Lane;
  readonly devices: GatewayDevices;
  account: Account;
  /** The next slot that is neither accounted nor in `claims`. */
  next: Grid;
  running = false;
  /** Why slots are missed while it does not run. */
  idle: "stopped" | "down" = "stopped";
  /** Slots taken and not begun, oldest first. */
  readonly claims: ClaimedSlot[] = [];
  /** The turn the first of `claims` waits for. */
  ticket: Ticket | undefined;
  poll: Poll | undefined;
  /** Settles when the poll that runs has ended. */
  ended: Promise<void> = Promise.resolve();
  /** Last seq up to which every outcome is known to be on disk. */
  settled: number;
  /** Outcomes on their way to the disk. */
  writing = 0;
  /** The last slot that was claimed or accounted. */
  reached: Slot | undefined;
  /** Whether it moves on while it is meant to run. */
  readonly watch = new Watch();
  /** Elapsed time at which the account was last kept. */
  keptAt = -Infinity;

  constructor(parts: ScheduleParts) {
    const { gateway, interval } = parts;
    this.id = scheduleId(gateway.id, interval);
    this.gateway = gateway;
    this.interval = interval;
    this.grace = graceOf(interval);
    this.timeout = timeoutOf(gateway, interval);
    this.plan = parts.plan;
    this.link = parts.link;
    this.lane = parts.lane;
    this.devices = parts.devices;
    this.account = parts.account;
    this.next = parts.next;
    this.settled = parts.account.settled;
  }

  /** End of the grace of the first slot that is not begun. */
  get deadline(): number {
    return (this.claims[0]?.due ?? Infinity) + this.grace;
  }

  /** Whether a poll that began now would ask nobody. While one runs, that can't be known: its probe may be answered. */
  isDisabled(now: number): boolean {
    return this.poll === undefined && this.devices.breakers.isDisabled(this.plan, now);
  }
}
