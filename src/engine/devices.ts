/** The state of devices: online or not, since when and why. Only a good read clears a failure. */
import type { Gateway } from "../core/model.ts";
import type { PolledOutcome } from "../core/outcome.ts";
import type { Clock } from "../core/ports.ts";
import { deviceAnswered, type Reading, type Reason } from "../core/reading.ts";
import type { DeviceRecord } from "../core/records.ts";
import type { DeviceResult } from "./poll.ts";
import type { Schedule } from "./schedule.ts";
import { SuccessRate } from "./success-rate.ts";

/** State of one device. */
export interface DeviceState {
  readonly id: string;
  /** Its last poll had a good read; null before the first. */
  online: boolean | null;
  /** Polls in a row without an answer. */
  failures: number;
  /** Wall time of the last change of `online` or `reason`. */
  since: number;
  reason: Reason | null;
}

/** State of the devices of a gateway. */
export interface GatewayDevices {
  readonly gateway: Gateway;
  readonly states: ReadonlyMap<string, DeviceState>;
  /** Devices whose last poll got no answer. */
  readonly silent: Set<string>;
  readonly rate: SuccessRate;
  lastGood: number | null;
}

/** A device that went online or offline, or is offline for another reason. */
export interface DeviceChange {
  readonly gateway: string;
  readonly device: string;
  readonly online: boolean;
  readonly reason: Reason | null;
  /** Whether it is the first poll ever. */
  readonly first: boolean;
  /** Whether only the reason changed. */
  readonly still: boolean;
}

/** Keeps the state of all devices. */
export class Devices {
  readonly #clock: Clock;
  readonly #changed: (change: DeviceChange) => void;
  readonly #gateways = new Map<string, GatewayDevices>();

  constructor(clock: Clock, changed: (change: DeviceChange) => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Begins to keep the devices of a gateway, from what the store has of them. */
  add(gateway: Gateway, kept: Readonly<Record<string, DeviceRecord>>): GatewayDevices {
    const states = new Map(
      gateway.devices.map(({ id }) => [id, stateOf(id, kept[id], this.#clock.wall())]),
    );
    const silent = new Set<string>();
    const rate = new SuccessRate();
    const devices: GatewayDevices = { gateway, states, silent, rate, lastGood: null };
    this.#gateways.set(gateway.id, devices);
    return devices;
  }

  /** The devices of a gateway. */
  of(gateway: string): GatewayDevices | undefined {
    return this.#gateways.get(gateway);
  }

  /** Takes what a poll brought. */
  polled(
    schedule: Schedule,
    results: readonly DeviceResult[],
    readings: readonly Reading[],
    outcome: PolledOutcome,
  ): void {
    const devices = this.#gateways.get(schedule.gateway.id);
    if (devices === undefined) return;
    devices.rate.add(this.#clock.elapsed(), outcome === "good");
    results.forEach(({ device, results: requests }, i) => {
      const reading = readings[i];
      const state = devices.states.get(device.id);
      if (reading === undefined || state === undefined || reading.reason === "stopped") return;
      if (deviceAnswered(requests)) {
        state.failures = 0;
        devices.silent.delete(device.id);
      } else {
        state.failures++;
        devices.silent.add(device.id);
      }
      if (reading.quality !== "bad") devices.lastGood = reading.ts;
      this.#judge(schedule.gateway.id, state, reading);
    });
  }

  /** What is kept of a gateway's devices. */
  keep(gateway: string): Record<string, DeviceRecord> {
    const states = this.#gateways.get(gateway)?.states.values() ?? [];
    return Object.fromEntries(
      [...states].map(({ id, online, failures, since, reason }) => {
        return [id, { online, failures, since, reason }];
      }),
    );
  }

  #judge(gateway: string, state: DeviceState, reading: Reading): void {
    const online = reading.quality !== "bad";
    const reason = online ? null : reasonOf(reading);
    if (state.online === online && state.reason === reason) return;
    const still = state.online === online;
    const first = state.online === null;
    state.online = online;
    state.reason = reason;
    state.since = this.#clock.wall();
    this.#changed({ gateway, device: state.id, online, reason, first, still });
  }
}

/** The reason of a bad reading; of several, that of the first point. */
function reasonOf(reading: Reading): Reason | null {
  return reading.reason ?? Object.values(reading.errors ?? {})[0]?.reason ?? null;
}

function stateOf(id: string, kept: DeviceRecord | undefined, wall: number): DeviceState {
  if (kept === undefined) return { id, online: null, failures: 0, since: wall, reason: null };
  // Reasons are written from the same closed list they are read into.
  return { id, ...kept, reason: kept.reason as Reason | null };
}
