/** The grid: when the slots of a schedule are due. Times in ms. */
import { fnv1a } from "./fnv.ts";

/** Up to this difference between grid and wall clock it is drawn in slot by slot; beyond it is a step. */
export const STEP_LIMIT = 2000;

/** How far a clock wanders in the time between two slots: that much is no step, however long the interval. */
const WANDERING = 1e-4;

/** The limit of a schedule, ms: 2 s, or as far as a clock wanders within its interval. */
export function stepLimitOf(interval: number): number {
  return Math.max(STEP_LIMIT, interval * WANDERING);
}

/** Differences below this are the coarseness of the wall clock, not drift. */
const COARSENESS = 1;

/** A slot of a schedule and with it the place of all that follow. */
export interface Grid {
  readonly interval: number;
  /** ms into the interval, on the wall clock, at which slots lie. */
  readonly phase: number;
  readonly seq: number;
  /** Nominal due time of slot `seq`, wall clock, whole ms. */
  readonly slot: number;
  /** Elapsed time at which slot `seq` is due. */
  readonly due: number;
}

/** A step of the wall clock, ms, that lengthened the interval before slot `seq`. */
export interface Step {
  readonly size: number;
  readonly seq: number;
}

/** A grid moved on, and the clock step it had to follow, if any. */
export interface Advance {
  readonly grid: Grid;
  readonly step?: Step;
}

/** Phase of a gateway without one: FNV-1a (32 bit) of its id modulo the interval, rounded down to 10 ms. */
export function phaseOf(gateway: string, interval: number): number {
  return Math.floor((fnv1a(gateway) % interval) / 10) * 10;
}

/** The first wall time on the phase that is not before `wall`. */
function onPhase(wall: number, interval: number, phase: number): number {
  return Math.ceil((wall - phase) / interval) * interval + phase;
}

/**
 * Lays a grid whose slot `seq` is the first one due at or after elapsed time `from`.
 * `offset` is wall clock minus elapsed time now.
 */
export function layGrid(
  place: { interval: number; phase: number; seq: number },
  from: number,
  offset: number,
): Grid {
  const slot = onPhase(from + offset, place.interval, place.phase);
  return { ...place, slot, due: slot - offset };
}

/**
 * Moves a grid on by `count` slots. A difference between grid and wall clock up to its limit is drawn in by
 * at most a thousandth of the interval a slot; a larger one, or another phase, lengthens the next
 * interval (to between one and two intervals) so that the phase is right again.
 */
export function advance(grid: Grid, count: number, offset: number): Advance {
  if (count === 0) return { grid };
  const { interval, phase } = grid;
  const drift = offset - (grid.slot - grid.due);
  const offPhase = (grid.slot - phase) % interval !== 0;
  if (Math.abs(drift) > stepLimitOf(interval) || offPhase) {
    const next = layGrid({ interval, phase, seq: grid.seq + 1 }, grid.due + interval, offset);
    const step = { size: drift, seq: grid.seq + 1 };
    return { grid: shift(next, count - 1, 0), ...(offPhase ? {} : { step }) };
  }
  if (Math.abs(drift) < COARSENESS) return { grid: shift(grid, count, 0) };
  const most = (count * interval) / 1000;
  return { grid: shift(grid, count, Math.max(-most, Math.min(most, drift))) };
}

function shift(grid: Grid, count: number, pull: number): Grid {
  const by = count * grid.interval;
  return { ...grid, seq: grid.seq + count, slot: grid.slot + by, due: grid.due + by - pull };
}

/** How many slots, the grid's own first, are due at or before elapsed time `until`. */
export function countDue(grid: Grid, until: number, offset: number): number {
  if (grid.due > until) return 0;
  const dueAfter = (count: number) => advance(grid, count, offset).grid.due;
  let count = Math.max(1, Math.floor((until - grid.due) / grid.interval));
  while (count > 1 && dueAfter(count - 1) > until) count--;
  while (dueAfter(count) <= until) count++;
  return count;
}

/** How late a slot may still start: half its interval, at most 5 s. */
export function graceOf(interval: number): number {
  return Math.min(interval / 2, 5000);
}

/** Number of a new epoch: it always rises, and is the wall clock in seconds when that is larger. */
export function nextEpoch(previous: number | undefined, wall: number): number {
  return Math.max((previous ?? 0) + 1, Math.floor(wall / 1000));
}
