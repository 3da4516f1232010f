/** The breakers of a gateway's devices: whom a poll leaves out, whom it probes, and what comes of it. */
import {
  afterFailedPoll,
  afterFailedProbe,
  askedToProbe,
  CLOSED,
  isOut,
  isProbeDue,
  probed,
  waitsForConnection,
  type Breaker,
  type BreakerRules,
} from "../core/breaker.ts";
import type { Plan } from "../core/plan.ts";
import type { Random } from "../core/ports.ts";
import type { Reason } from "../core/reading.ts";
import type { DeviceState } from "./device-state.ts";

/** What happened to a breaker. */
export type BreakerChange = "opened" | "closed" | "probe-failed";

/** Devices that a poll does not ask, and the one it probes. */
export interface Choice {
  readonly leftOut: ReadonlySet<string>;
  readonly probe: string | undefined;
}

/** What a poll found out about a device that it asked: an answer at a time, or a failure. */
export interface Asked {
  /** Whether it was the probe. */
  readonly probe: boolean;
  /** Elapsed time. */
  readonly at: number;
  /** Why there was no answer; undefined when there was one. */
  readonly reason: Reason | undefined;
}

const ALL: Choice = { leftOut: new Set(), probe: undefined };

/** The breakers of one gateway, shared by its schedules. */
export class Breakers {
  readonly #rules: BreakerRules;
  readonly #random: Random;
  /** Devices whose breaker is not closed. */
  readonly #out = new Map<string, DeviceState>();
  /** Breakers of devices that are being probed, as they were before. */
  readonly #underWay = new Map<string, Breaker>();

  constructor(rules: BreakerRules, random: Random, states: Iterable<DeviceState>) {
    this.#rules = rules;
    this.#random = random;
    for (const state of states) if (isOut(state.breaker)) this.#out.set(state.id, state);
  }

  /** Whether a poll of the plan would ask nobody: every breaker is open and no probe is due. */
  isDisabled({ devices }: Plan, now: number): boolean {
    if (this.#out.size === 0 || devices.length === 0) return false;
    return devices.every(({ device }) => {
      const state = this.#out.get(device.id);
      return state !== undefined && !this.#isDue(state, now);
    });
  }

  /** Chooses for a poll that begins; of the probes that are due the one that has waited longest. */
  begin({ devices }: Plan, now: number): Choice {
    if (this.#out.size === 0) return ALL;
    const leftOut = new Set<string>();
    let chosen: DeviceState | undefined;
    for (const { device } of devices) {
      const state = this.#out.get(device.id);
      if (state === undefined) continue;
      leftOut.add(device.id);
      if (this.#isDue(state, now) && waitsLonger(state, chosen)) chosen = state;
    }
    if (chosen === undefined) return { leftOut, probe: undefined };
    leftOut.delete(chosen.id);
    this.#underWay.set(chosen.id, chosen.breaker);
    chosen.breaker = probed(chosen.breaker);
    return { leftOut, probe: chosen.id };
  }

  /** Takes what came of a device that was asked. */
  asked(state: DeviceState, { probe, at, reason }: Asked): BreakerChange | undefined {
    const before = state.breaker;
    if (probe) this.#underWay.delete(state.id);
    if (reason === undefined) {
      if (probe) this.#releaseWaiting(at);
      return this.#close(state);
    }
    const after = probe ? afterFailedProbe : afterFailedPoll;
    state.breaker = after(before, this.#rules, { at, reason }, this.#random);
    if (probe && isOut(before)) return "probe-failed";
    if (isOut(before) || !isOut(state.breaker)) return undefined;
    this.#out.set(state.id, state);
    return "opened";
  }

  /** The poll has ended; a probe that was not sent is due as before. */
  end({ probe }: Choice): void {
    if (probe === undefined) return;
    const before = this.#underWay.get(probe);
    const state = this.#out.get(probe);
    this.#underWay.delete(probe);
    if (before === undefined || state === undefined) return;
    // Asked for meanwhile: that stands.
    if (state.breaker.nextProbe === null) state.breaker = before;
  }

  /** Asks for a probe of each of these devices whose breaker is not closed; those are given back. */
  ask(devices: readonly string[], now: number): string[] {
    return devices.filter((id) => {
      const state = this.#out.get(id);
      if (state === undefined) return false;
      state.breaker = askedToProbe(state.breaker, now);
      return true;
    });
  }

  #close(state: DeviceState): BreakerChange | undefined {
    state.breaker = CLOSED;
    return this.#out.delete(state.id) ? "closed" : undefined;
  }

  /** The way to the gateway is back: devices that only lacked that need not wait for their own time. */
  #releaseWaiting(now: number): void {
    for (const other of this.#out.values()) {
      if (waitsForConnection(other.breaker, this.#rules))
        other.breaker = askedToProbe(other.breaker, now);
    }
  }

  #isDue({ id, breaker }: DeviceState, now: number): boolean {
    return isProbeDue(breaker, now) && !this.#underWay.has(id);
  }
}

function waitsLonger(state: DeviceState, than: DeviceState | undefined): boolean {
  if (than === undefined) return true;
  return (state.breaker.nextProbe ?? Infinity) < (than.breaker.nextProbe ?? Infinity);
}
