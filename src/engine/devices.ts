/** The devices of all gateways: online or not, since when and why. Only a good read clears a failure. */
import { wayOf } from "../core/breaker.ts";
import type { Gateway } from "../core/model.ts";
import type { PolledOutcome } from "../core/outcome.ts";
import type { Clock, Random } from "../core/ports.ts";
import { deviceAnswered, deviceAsked, type Reading, type Reason } from "../core/reading.ts";
import type { DeviceRecord } from "../core/records.ts";
import { configurationOf } from "../core/refusals.ts";
import { Breakers, type BreakerChange } from "./breakers.ts";
import { isElsewhere, recordOf, stateOf, type DeviceState } from "./device-state.ts";
import type { DeviceResult } from "./poll-task.ts";
import type { Schedule } from "./schedule.ts";
import { SuccessRate } from "./success-rate.ts";

/** The devices of a gateway. */
export interface GatewayDevices {
  readonly gateway: Gateway;
  readonly states: ReadonlyMap<string, DeviceState>;
  readonly breakers: Breakers;
  /** Devices whose last poll got no answer, until a good read. */
  readonly silent: Set<string>;
  readonly rate: SuccessRate;
  /** Devices that were left out at another connection or unit id, and are probed at once at this one. */
  readonly elsewhere: readonly string[];
  lastGood: number | null;
}

/** What a poll changed about a device. */
export interface DeviceChange {
  readonly gateway: string;
  /** As it is now. */
  readonly state: DeviceState;
  /** What changed of `online` and `reason`: `first` at the first poll ever. */
  readonly online: "first" | "changed" | "reason" | "same";
  readonly breaker: BreakerChange | undefined;
  /** Polls in a row without an answer, this one or those it ended. */
  readonly failures: number;
}

/** Keeps the state of all devices. */
export class Devices {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #changed: (change: DeviceChange) => void;
  readonly #gateways = new Map<string, GatewayDevices>();

  constructor(clock: Clock, random: Random, changed: (change: DeviceChange) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#changed = changed;
  }

  /** Begins to keep the devices of a gateway, from what the store has of them. */
  add(
    gateway: Gateway,
    kept: Readonly<Record<string, DeviceRecord>>,
    lastGood: number | null,
  ): GatewayDevices {
    const before = this.#gateways.get(gateway.id);
    const made = { ...this.make(gateway, kept), lastGood };
    // A gateway that comes back changed goes on with what it had.
    const devices =
      before === undefined ? made : { ...made, rate: before.rate, lastGood: before.lastGood };
    this.#gateways.set(gateway.id, devices);
    return devices;
  }

  /** Keeps the devices of a gateway no more. */
  remove(gateway: string): void {
    this.#gateways.delete(gateway);
  }

  /** The devices of a gateway, without keeping them. */
  make(gateway: Gateway, kept: Readonly<Record<string, DeviceRecord>>): GatewayDevices {
    const states = new Map(
      gateway.devices.map((device) => {
        const { id } = device;
        const requests = configurationOf(gateway, device);
        const configuration = { requests, way: wayOf(gateway, device) };
        return [id, stateOf(id, kept[id], gateway, this.#clock, configuration)];
      }),
    );
    const all = [...states.values()];
    return {
      ...{ gateway, states },
      breakers: new Breakers(gateway, this.#random, all),
      silent: new Set(all.flatMap(({ id }) => (isSilent(kept[id]) ? [id] : []))),
      rate: new SuccessRate(),
      elsewhere: all.flatMap(({ id, way }) => (isElsewhere(kept[id], way) ? [id] : [])),
      lastGood: null,
    };
  }

  /** The devices of a gateway. */
  of(gateway: string): GatewayDevices | undefined {
    return this.#gateways.get(gateway);
  }

  /** Takes what a poll brought. */
  polled(
    { devices }: Schedule,
    results: readonly DeviceResult[],
    readings: readonly Reading[],
    outcome: PolledOutcome,
  ): void {
    devices.rate.add(this.#clock.elapsed(), outcome === "good");
    results.forEach((result, i) => {
      const reading = readings[i];
      const state = devices.states.get(result.device.id);
      // Of a device that was left out nothing new is known.
      if (reading === undefined || state === undefined || result.role === "left-out") return;
      if (reading.reason !== "stopped") this.#take(devices, state, result, reading);
    });
  }

  /** What is kept of a gateway's devices. */
  keep(gateway: string): Record<string, DeviceRecord> {
    const own = this.#gateways.get(gateway);
    if (own === undefined) return {};
    const records = [...own.states.values()].map((state) => {
      return [state.id, recordOf(state, own.silent.has(state.id), this.#clock)] as const;
    });
    return Object.fromEntries(records);
  }

  #take(
    devices: GatewayDevices,
    state: DeviceState,
    { results, role, settledAt }: DeviceResult,
    reading: Reading,
  ): void {
    const { failures } = state.breaker;
    let breaker: BreakerChange | undefined;
    const answered = deviceAnswered(results);
    if (answered || deviceAsked(results)) {
      const reason = answered ? undefined : (reasonOf(reading) ?? "timeout");
      const found = { probe: role === "probed", at: settledAt, reason };
      breaker = devices.breakers.asked(state, found);
      if (!answered) devices.silent.add(state.id);
    }
    if (reading.quality !== "bad") {
      devices.silent.delete(state.id);
      devices.lastGood = reading.ts;
    }
    if (breaker === "opened") state.openedAt = this.#clock.wall();
    if (breaker === "closed") state.openedAt = null;
    const online = this.#judge(state, reading);
    if (online === "same" && breaker === undefined) return;
    const row = Math.max(failures, state.breaker.failures);
    this.#changed({ gateway: devices.gateway.id, state, online, breaker, failures: row });
  }

  #judge(state: DeviceState, reading: Reading): DeviceChange["online"] {
    const before = state.online;
    const online = reading.quality !== "bad";
    const reason = online ? null : reasonOf(reading);
    if (before === online && state.reason === reason) return "same";
    state.online = online;
    state.reason = reason;
    if (before === online) return "reason";
    state.since = this.#clock.wall();
    return before === null ? "first" : "changed";
  }
}

/** A row of failures tells too: records of before breakers were kept have nothing else. */
function isSilent(kept: DeviceRecord | undefined): boolean {
  return kept?.silent === true || (kept?.failures ?? 0) > 0;
}

/** The reason of a bad reading; of several, that of the first point. */
function reasonOf(reading: Reading): Reason | null {
  return reading.reason ?? Object.values(reading.errors ?? {})[0]?.reason ?? null;
}
