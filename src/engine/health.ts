/** How gateways and the node fare, as published. */
import { isOut } from "../core/breaker.ts";
import { StoreError } from "../core/errors.ts";
import { advance } from "../core/grid.ts";
import { missedOf, noCounts } from "../core/outcome.ts";
import type {
  DeviceHealth,
  GatewayHealth,
  GatewayState,
  NodeHealth,
  ScheduleHealth,
} from "../core/payloads.ts";
import type { Bus, Clock } from "../core/ports.ts";
import type { ClockTrust } from "./clock-trust.ts";
import type { Committer } from "./committer.ts";
import type { DeviceState } from "./device-state.ts";
import type { Devices } from "./devices.ts";
import type { Faults } from "./faults.ts";
import type { Gateways, RunningGateway } from "./gateways.ts";
import type { Integrity } from "./integrity.ts";
import type { Publisher } from "./publisher.ts";
import type { Schedule } from "./schedule.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Spool } from "./spool.ts";
import type { Supervision } from "./supervision.ts";

/** Facts about the process that the engine can't know. */
export interface ProcessFacts {
  /** Resident memory, bytes. */
  readonly rss: number;
  /** Delay of the event loop, ms. */
  readonly loopDelay: { readonly p50: number; readonly p99: number };
}

/** What health is drawn from. */
export interface HealthWorld {
  readonly node: string;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly committer: Committer;
  readonly devices: Devices;
  readonly gateways: Gateways;
  readonly integrity: Integrity;
  readonly supervision: Pick<Supervision, "restarts">;
  readonly faults: Pick<Faults, "count">;
  readonly publisher: Publisher;
  readonly scheduler: Scheduler;
  readonly spool: Spool;
  readonly spoolLimit: number;
  readonly trust: ClockTrust;
  readonly facts: () => ProcessFacts;
  /** Size of the store on disk, null when not known. */
  readonly storeBytes: () => number | null;
}

/** Draws health. */
export class Health {
  readonly #world: HealthWorld;
  readonly #startedAt: number;

  constructor(world: HealthWorld) {
    this.#world = world;
    this.#startedAt = world.clock.elapsed();
  }

  /** `health/<gateway>`. */
  gateway(running: RunningGateway): GatewayHealth {
    const { node, clock, devices, scheduler } = this.#world;
    const { id } = running.gateway;
    for (const schedule of running.schedules) scheduler.catchUp(schedule);
    const states = [...(devices.of(id)?.states.values() ?? [])];
    const state = stateOf(running.desired.desired, states);
    const fails = state === "degraded" || state === "disabled";
    const off = fails ? states.find((device) => device.online === false) : undefined;
    const rate = devices.of(id)?.rate.summary(clock.elapsed());
    return {
      node,
      gateway: id,
      state,
      desired: running.desired.desired,
      since: sinceOf(running, state, states),
      ...(off?.reason ? { reason: off.reason } : {}),
      online: state !== "stopped" && states.some((device) => device.online === true),
      lastGood: devices.of(id)?.lastGood ?? null,
      successRate: rate ?? { hour: null, day: null },
      schedules: running.schedules.map((schedule) => this.#schedule(schedule)),
      devices: states.map((device) => deviceHealth(device, clock.wall() - clock.elapsed())),
    };
  }

  /** The state a gateway has, or will have, when it is meant to run. */
  stateWhenRunning({ gateway }: RunningGateway): GatewayState {
    const states = [...(this.#world.devices.of(gateway.id)?.states.values() ?? [])];
    return stateOf("running", states);
  }

  /** `node/health`. */
  async node(): Promise<NodeHealth> {
    const { node, clock, bus, committer, integrity, spool, facts, trust } = this.#world;
    const { rss, loopDelay } = facts();
    const { state, p50, p99, reason } = committer.health;
    return {
      node,
      uptime: Math.round(clock.elapsed() - this.#startedAt),
      durable: bus.state.durable,
      mqtt: this.#mqtt(),
      spool: {
        readings: spool.waiting.messages,
        bytes: spool.waiting.bytes,
        oldest: await oldestOf(spool),
        hoursUntilFull: this.#hoursUntilFull(),
        dropped: spool.dropped,
        quarantined: spool.quarantined,
      },
      store: {
        commit: { p50: tenth(p50), p99: tenth(p99) },
        bytes: this.#world.storeBytes(),
        state,
        ...(reason === undefined ? {} : { reason }),
      },
      loopDelay: { p50: tenth(loopDelay.p50), p99: tenth(loopDelay.p99) },
      rss,
      clock: trust.isUnsure ? "unsure" : "synced",
      findings: integrity.findings,
      ...this.#mishaps(),
      totals: this.#totals(),
    };
  }

  #mishaps(): Pick<NodeHealth, "restarts" | "errors"> {
    const { supervision, faults } = this.#world;
    const { restarts } = supervision;
    const { count: errors } = faults;
    return { ...(restarts === 0 ? {} : { restarts }), ...(errors === 0 ? {} : { errors }) };
  }

  #mqtt(): NodeHealth["mqtt"] {
    const { bus, clock } = this.#world;
    const { connected, version, commands, since, reason, contested } = bus.state;
    const away = connected ? {} : { away: Math.round(clock.elapsed() - since) };
    return {
      version,
      refusalsInvisible: version === 4,
      commands: connected && commands,
      ...away,
      ...(reason === undefined || connected ? {} : { reason }),
      ...(contested === true ? { contested } : {}),
    };
  }

  #schedule(schedule: Schedule): ScheduleHealth {
    const { account, interval, claims, next, running } = schedule;
    const offset = this.#world.clock.wall() - this.#world.clock.elapsed();
    const soon = claims[0]?.slot ?? advance(next, 0, offset).grid.slot;
    const { good, partial, failed, unknown, missed } = account.counts;
    return {
      interval,
      epoch: account.epoch,
      seq: account.last,
      nextSlot: running ? soon : null,
      counts: { good, partial, failed, unknown, missed: { ...missed } },
      late: account.lateness.summary(),
    };
  }

  /** By what was spooled since the start, acknowledged or not: how long an outage could last. */
  #hoursUntilFull(): number | null {
    const { clock, spool, spoolLimit } = this.#world;
    const hours = (clock.elapsed() - this.#startedAt) / 3_600_000;
    if (spool.appended === 0 || hours <= 0) return null;
    const left = Math.max(0, spoolLimit - spool.waiting.bytes);
    return tenth(left / (spool.appended / hours));
  }

  #totals(): NodeHealth["totals"] {
    const sum = { ...noCounts(), missed: 0 };
    for (const { schedules } of this.#world.gateways.all) {
      for (const { account } of schedules) {
        sum.good += account.counts.good;
        sum.partial += account.counts.partial;
        sum.failed += account.counts.failed;
        sum.unknown += account.counts.unknown;
        sum.missed += missedOf(account.counts);
      }
    }
    return sum;
  }
}

/** The first that holds: stopped, disabled (every breaker is open), degraded (a device is not online), running. */
function stateOf(desired: "running" | "stopped", states: readonly DeviceState[]): GatewayState {
  if (desired === "stopped") return "stopped";
  if (states.length > 0 && states.every(({ breaker }) => isOut(breaker))) return "disabled";
  return states.some((device) => device.online === false) ? "degraded" : "running";
}

/** When the state began: the command that stopped it, the last breaker that opened, the first device that went off, or the last change. */
function sinceOf(
  { desired }: RunningGateway,
  state: GatewayState,
  states: readonly DeviceState[],
): number {
  if (state === "stopped") return desired.since;
  const changes = states.filter(({ online }) => online !== null).map(({ since }) => since);
  const off = states.filter(({ online }) => online === false).map(({ since }) => since);
  const opened = states.map(({ openedAt }) => openedAt ?? 0);
  const latest = state === "disabled" ? opened : changes;
  const began = state === "degraded" ? Math.min(...off) : Math.max(...latest, desired.since);
  return Math.round(Math.max(began, desired.since));
}

function deviceHealth(device: DeviceState, offset: number): DeviceHealth {
  const { id, online, breaker, since, reason, learned } = device;
  const { state, failures, nextProbe } = breaker;
  const showsProbe = state === "open" && nextProbe !== null;
  return {
    ...{ device: id, online, breaker: state, failures, since: Math.round(since) },
    ...(reason === null ? {} : { reason }),
    ...(learned.refused.length === 0 ? {} : { refused: learned.refused }),
    ...(showsProbe ? { nextProbe: Math.round(nextProbe + offset) } : {}),
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Null also when the disk can't say; the store's state says why. */
async function oldestOf(spool: Spool): Promise<number | null> {
  try {
    return await spool.oldest();
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}
