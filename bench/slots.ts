/** What the slave saw of a poller's grid, without knowing where it lies. */
import { medianOf } from "./quantiles.ts";

/** A span of CLOCK_MONOTONIC, in ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The polls of one device, held against the grid that fits them best. */
export interface SeenSlots {
  /** Slots of the grid that lie in the span. */
  readonly due: number;
  /** Slots without a poll, and polls beyond the first of a slot. */
  readonly missed: number;
  readonly doubled: number;
  /** Distance of each poll from its place, in ms, without its sign. */
  readonly errors: readonly number[];
}

/**
 * Lays a grid through the times of one device's polls (its phase is the median of theirs) and counts
 * slots whose place lies in the span. A poll more than half an interval from its place counts for the neighbour.
 */
export function seenSlots(times: readonly number[], interval: number, span: Span): SeenSlots {
  const [first] = times;
  if (first === undefined) {
    const due = Math.floor((span.to - span.from) / interval);
    return { due, missed: due, doubled: 0, errors: [] };
  }
  const numberOf = (time: number): number => Math.round((time - first) / interval);
  const phase = medianOf(times.map((time) => time - first - numberOf(time) * interval));
  const anchor = first + phase;
  const from = Math.ceil((span.from - anchor) / interval);
  const to = Math.floor((span.to - anchor) / interval);
  const polls = new Map<number, number>();
  const errors: number[] = [];
  for (const time of times) {
    const slot = Math.round((time - anchor) / interval);
    if (slot < from || slot > to) continue;
    polls.set(slot, (polls.get(slot) ?? 0) + 1);
    errors.push(Math.abs(time - anchor - slot * interval));
  }
  const due = to - from + 1;
  return { due, missed: due - polls.size, doubled: errors.length - polls.size, errors };
}
