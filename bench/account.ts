/** edgepoll's own account, read from what it published, and held against what the slave saw. */
import { readingsIn, within, type SeenPoll } from "./delivery.ts";
import type { Span } from "./slots.ts";
import type { Message } from "./witness.ts";

/** A run of slots without a reading, as published. */
interface Gap {
  readonly gateway: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

/** The account by identity (gateway, epoch, seq), over all that arrived. */
export interface Account {
  readonly readings: number;
  /** Slots that stand in gaps: accounted for, but not read. */
  readonly inGaps: number;
  /** Numbers that neither a reading nor a gap has, and those that more than one has. */
  readonly unaccounted: number;
  readonly twice: number;
}

/** Accounts for every number between the first and the last of each gateway that arrived. */
export function accountOf(messages: readonly Message[]): Account {
  const seen = new Map<string, number[]>();
  const note = (gateway: string, epoch: number | undefined, seq: number): void => {
    const key = `${gateway} ${String(epoch)}`;
    const list = seen.get(key);
    if (list === undefined) seen.set(key, [seq]);
    else list.push(seq);
  };
  const readings = readingsIn(messages);
  for (const { reading } of readings) {
    if (reading.seq !== undefined) note(reading.gateway, reading.epoch, reading.seq);
  }
  let inGaps = 0;
  for (const { topic, payload } of messages) {
    if (!topic.startsWith("polling/gaps/")) continue;
    // As edgepoll publishes it.
    const gap = JSON.parse(payload) as Gap;
    for (let seq = gap.from; seq <= gap.to; seq += 1) note(gap.gateway, gap.epoch, seq);
    inGaps += gap.to - gap.from + 1;
  }
  let [unaccounted, twice] = [0, 0];
  for (const seqs of seen.values()) {
    const different = new Set(seqs);
    twice += seqs.length - different.size;
    const [first, last] = seqs.reduce(
      ([low, high], seq) => [Math.min(low, seq), Math.max(high, seq)],
      [Infinity, -Infinity],
    );
    unaccounted += last - first + 1 - different.size;
  }
  return { readings: readings.length, inGaps, unaccounted, twice };
}

/** How late polls began: as edgepoll says, and as the slave saw it against the published `slot`; in ms. */
export interface Lateness {
  readonly told: readonly number[];
  readonly seen: readonly number[];
}

/** The lateness of the polls in a span. `offset`: the wall clock less the monotonic one, in ms. */
export function latenessOf(polls: readonly SeenPoll[], span: Span, offset: number): Lateness {
  const told: number[] = [];
  const seen: number[] = [];
  for (const { at, readings } of polls) {
    const reading = readings[0]?.reading;
    if (!within(at, span) || reading?.slot === undefined) continue;
    seen.push(at + offset - reading.slot);
    if (reading.late != null) told.push(reading.late);
  }
  return { told, seen };
}
