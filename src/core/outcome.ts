/** What can come of a slot. Each slot has exactly one outcome. */

/** Reasons of a missed slot, the first that holds counts. */
export const MISS_REASONS = [
  "stopped",
  "suspended",
  "down",
  "disabled",
  "store",
  "busy",
  "late",
] as const;

/** Why a slot was not polled. */
export type MissReason = (typeof MISS_REASONS)[number];

/** Why it can't be known what came of a slot: the process died, or the store could not take the outcome. */
export type UnknownReason = "crash" | "store";

/** Outcome of a slot that was polled. */
export type PolledOutcome = "good" | "partial" | "failed";

/** Outcome of a slot without a reading, with its reason. */
export type Absence =
  | { readonly outcome: "missed"; readonly reason: MissReason }
  | { readonly outcome: "unknown"; readonly reason: UnknownReason };

/** The first reason that holds, in the order of `MISS_REASONS`; `late` when none does: then the process itself was. */
export function missReason(facts: Partial<Record<MissReason, boolean>>): MissReason {
  return MISS_REASONS.find((reason) => facts[reason] === true) ?? "late";
}

/** Slots of an epoch by outcome; missed and unknown ones by reason where that is asked for. */
export interface Counts {
  good: number;
  partial: number;
  failed: number;
  unknown: number;
  missed: Partial<Record<MissReason, number>>;
}

/** Counts of an epoch that begins. */
export function noCounts(): Counts {
  return { good: 0, partial: 0, failed: 0, unknown: 0, missed: {} };
}

/** Adds slots without a reading. */
export function countAbsent(counts: Counts, absence: Absence, slots: number): void {
  if (absence.outcome === "unknown") counts.unknown += slots;
  else counts.missed[absence.reason] = (counts.missed[absence.reason] ?? 0) + slots;
}

/** Missed slots of all reasons. */
export function missedOf(counts: Counts): number {
  return Object.values(counts.missed).reduce((sum, slots) => sum + slots, 0);
}

/** All slots counted. */
export function dueOf(counts: Counts): number {
  return counts.good + counts.partial + counts.failed + counts.unknown + missedOf(counts);
}
