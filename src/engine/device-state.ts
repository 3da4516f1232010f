/** The state of one device, and its form on disk. */
import { askedToProbe, CLOSED, resumed, type Breaker, type BreakerRules } from "../core/breaker.ts";
import type { Clock } from "../core/ports.ts";
import type { Learned } from "../core/refusals.ts";
import type { Reason } from "../core/reading.ts";
import type { BreakerRecord, DeviceRecord } from "../core/records.ts";

/** State of one device. */
export interface DeviceState {
  readonly id: string;
  /** Its last poll had a good read; null before the first. */
  online: boolean | null;
  /** Wall time of the last change of `online`; a reason that changes does not move it. */
  since: number;
  reason: Reason | null;
  breaker: Breaker;
  /** What polls found out about it. */
  learned: Learned;
  /** Wall time at which the breaker opened; null while it is closed. */
  openedAt: number | null;
  /** Of its connection and unit id. */
  readonly way: number;
}

/** What tells one configuration of a device from another. */
export interface DeviceConfiguration {
  /** Of its requests. */
  readonly requests: number;
  /** Of its connection and unit id. */
  readonly way: number;
}

/** The state as kept under a configuration, or that of a device that nothing is known of. */
export function stateOf(
  id: string,
  kept: DeviceRecord | undefined,
  rules: BreakerRules,
  clock: Clock,
  { requests, way }: DeviceConfiguration,
): DeviceState {
  const known = { id, learned: learnedOf(kept, requests), way };
  if (kept === undefined) {
    const since = clock.wall();
    return { ...known, online: null, since, reason: null, breaker: CLOSED, openedAt: null };
  }
  const { online, since, failures, failingSince } = kept;
  const now = clock.elapsed();
  const offset = clock.wall() - now;
  const row: Breaker = {
    ...{ ...CLOSED, failures },
    // Never after now, should the clock have been set back.
    failingSince: failures === 0 ? null : Math.min((failingSince ?? Infinity) - offset, now),
  };
  const breaker = kept.breaker === undefined ? row : opened(row, kept.breaker, offset);
  const openedAt = kept.breaker?.openedAt ?? null;
  // Reasons are written from the same closed list they are read into.
  const reason = kept.reason as Reason | null;
  const goesOn = resumed(breaker, rules, now);
  // Only an answer closes it; but that of another way to the device need not be waited for.
  const anew = isElsewhere(kept, way) ? askedToProbe(goesOn, now) : goesOn;
  return { ...known, online, since, reason, breaker: anew, openedAt };
}

/** Whether the device was left out when it had another connection or unit id. */
export function isElsewhere(kept: DeviceRecord | undefined, way: number): boolean {
  const of = kept?.breaker?.of;
  return of !== undefined && of !== way;
}

/** What is kept of a device; `silent`: whether it is asked last, and once. */
export function recordOf(state: DeviceState, silent: boolean, clock: Clock): DeviceRecord {
  const { online, since, reason, breaker, learned, openedAt, way } = state;
  const { failures, failingSince, openedBy, distance } = breaker;
  const offset = clock.wall() - clock.elapsed();
  const wall = (time: number) => Math.round(time + offset);
  const nextProbe = breaker.nextProbe === null ? null : wall(breaker.nextProbe);
  return {
    ...{ online, failures, since, reason },
    ...(failingSince === null ? {} : { failingSince: wall(failingSince) }),
    ...(silent ? { silent } : {}),
    ...(learned.refused.length === 0 ? {} : { learned }),
    ...(breaker.state === "closed" || openedAt === null
      ? {}
      : { breaker: { state: breaker.state, openedAt, openedBy, nextProbe, distance, of: way } }),
  };
}

/** Under another configuration nothing of it counts. */
function learnedOf(kept: DeviceRecord | undefined, configuration: number): Learned {
  return kept?.learned?.of === configuration ? kept.learned : { of: configuration, refused: [] };
}

function opened(row: Breaker, kept: BreakerRecord, offset: number): Breaker {
  const nextProbe = kept.nextProbe === null ? null : kept.nextProbe - offset;
  // Reasons are written from the same closed list they are read into.
  const openedBy = kept.openedBy as Reason | null;
  return { ...row, state: kept.state, openedBy, nextProbe, distance: kept.distance };
}
