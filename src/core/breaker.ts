/**
 * The breaker of a device: when a device that gives no answer is left out of polls, and when it is
 * probed. Pure; every time is elapsed time in ms.
 */
import { fnv1a } from "./fnv.ts";
import type { Device, Gateway } from "./model.ts";
import type { Random } from "./ports.ts";
import type { Reason } from "./reading.ts";

/** ms that a row of failures lasts at least before it opens a breaker: a fast poll is no proof. */
export const SHORTEST_ROW = 10_000;

/** Share of its distance by which a probe may come early, so that those of many devices spread. */
const JITTER = 0.1;

/** How many times as far the next probe lies after one that was not answered. */
const WIDENING = 2;

/** What a gateway's configuration says of the breakers of its devices. */
export type BreakerRules = Pick<Gateway, "failureThreshold" | "probe">;

/** State of one breaker. */
export interface Breaker {
  /** `probing`: a probe is under way, or is sent in the next slot that has room for it. */
  readonly state: "closed" | "open" | "probing";
  /** Polls and probes in a row without an answer. */
  readonly failures: number;
  /** When the first of them failed; null when there is none. */
  readonly failingSince: number | null;
  /** Why the failure that opened it failed; null while closed. */
  readonly openedBy: Reason | null;
  /** From when on a probe is due; null while closed, while one is under way, and with `probe: never`. */
  readonly nextProbe: number | null;
  /** ms that lie between two probes now, before jitter. */
  readonly distance: number;
}

/** A poll or probe that was not answered. */
export interface Failure {
  readonly at: number;
  readonly reason: Reason;
}

/** The breaker of a device whose last poll was answered: an answer ends the row and closes it. */
export const CLOSED: Breaker = {
  state: "closed",
  failures: 0,
  failingSince: null,
  openedBy: null,
  nextProbe: null,
  distance: 0,
};

/** A poll failed: opens a closed breaker after `failureThreshold` failures in a row that lasted 10 s. */
export function afterFailedPoll(
  breaker: Breaker,
  rules: BreakerRules,
  { at, reason }: Failure,
  random: Random,
): Breaker {
  const failures = breaker.failures + 1;
  const failingSince = breaker.failingSince ?? at;
  const row = { ...breaker, failures, failingSince };
  // A poll that began before another schedule's opened the breaker only lengthens the row.
  if (breaker.state !== "closed") return row;
  if (failures < rules.failureThreshold || at - failingSince < SHORTEST_ROW) return row;
  const distance = rules.probe === "never" ? 0 : rules.probe.first;
  return { ...row, state: "open", openedBy: reason, ...probeIn(distance, rules, at, random) };
}

/** A probe failed: the next one lies farther off, up to `probe.max`. One that was asked for meanwhile stays due. */
export function afterFailedProbe(
  breaker: Breaker,
  rules: BreakerRules,
  { at, reason }: Failure,
  random: Random,
): Breaker {
  // Another schedule's poll was answered meanwhile: an ordinary failure, the first of a row.
  if (breaker.state === "closed") return afterFailedPoll(breaker, rules, { at, reason }, random);
  const failures = breaker.failures + 1;
  const distance = widened(breaker.distance, rules);
  if (breaker.nextProbe !== null) return { ...breaker, failures, distance };
  return { ...breaker, failures, state: "open", ...probeIn(distance, rules, at, random) };
}

/** A probe is on its way. */
export function probed(breaker: Breaker): Breaker {
  return { ...breaker, state: "probing", nextProbe: null };
}

/** A probe is wanted now: by a person, or because the way to the device is back. It waits for the next slot. */
export function askedToProbe(breaker: Breaker, at: number): Breaker {
  if (breaker.state === "closed") return breaker;
  return { ...breaker, state: "probing", nextProbe: Math.min(breaker.nextProbe ?? at, at) };
}

/** Tells one way to a device from another: its connection and unit id. */
export function wayOf({ connection }: Gateway, { unitId }: Device): number {
  return fnv1a(JSON.stringify([connection, unitId]));
}

/** Whether the device is left out of polls but for a probe. */
export function isOut(breaker: Breaker): boolean {
  return breaker.state !== "closed";
}

/** Whether a probe may be sent. */
export function isProbeDue(breaker: Breaker, at: number): boolean {
  return breaker.nextProbe !== null && breaker.nextProbe <= at;
}

/** Whether an answered probe of another device of the gateway is a reason to probe this one too. */
export function waitsForConnection(breaker: Breaker, rules: BreakerRules): boolean {
  return isOut(breaker) && breaker.openedBy === "connect_failed" && rules.probe !== "never";
}

/** A breaker as kept over a restart, under the rules that hold now; they may have changed. */
export function resumed(kept: Breaker, rules: BreakerRules, at: number): Breaker {
  const { state, nextProbe } = kept;
  if (state === "closed") return kept;
  if (state === "probing") return { ...kept, nextProbe: at };
  if (rules.probe === "never") return { ...kept, nextProbe: null, distance: 0 };
  const distance = clamp(kept.distance, rules.probe.first, rules.probe.max);
  // The clock may have jumped while nobody looked: never farther off than its distance.
  return { ...kept, distance, nextProbe: Math.min(nextProbe ?? at + distance, at + distance) };
}

function probeIn(
  distance: number,
  rules: BreakerRules,
  at: number,
  random: Random,
): Pick<Breaker, "distance" | "nextProbe"> {
  if (rules.probe === "never") return { distance, nextProbe: null };
  return { distance, nextProbe: at + distance * (1 - JITTER * random()) };
}

function widened(distance: number, { probe }: BreakerRules): number {
  return probe === "never" ? 0 : clamp(distance * WIDENING, probe.first, probe.max);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
