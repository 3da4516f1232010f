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

/** Adds counts to others. */
export function addCounts(to: Counts, from: Counts): void {
  to.good += from.good;
  to.partial += from.partial;
  to.failed += from.failed;
  to.unknown += from.unknown;
  for (const reason of MISS_REASONS) {
    const slots = from.missed[reason] ?? 0;
    if (slots > 0) to.missed[reason] = (to.missed[reason] ?? 0) + slots;
  }
}

/** Whether two counts are the same, by reason. */
export function sameCounts(a: Counts, b: Counts): boolean {
  return (
    a.good === b.good &&
    a.partial === b.partial &&
    a.failed === b.failed &&
    a.unknown === b.unknown &&
    MISS_REASONS.every((reason) => (a.missed[reason] ?? 0) === (b.missed[reason] ?? 0))
  );
}

/** Counts in words: `good 8100, partial 3, unknown 1, missed down 19`; outcomes that never came are left out. */
export function countsOf({ good, partial, failed, unknown, missed }: Counts): string {
  const parts: [string, number][] = [
    ["good", good],
    ["partial", partial],
    ["failed", failed],
    ["unknown", unknown],
    ...MISS_REASONS.map((reason): [string, number] => [`missed ${reason}`, missed[reason] ?? 0]),
  ];
  const said = parts
    .filter(([, slots]) => slots !== 0)
    .map(([word, slots]) => `${word} ${String(slots)}`);
  return said.length === 0 ? "nothing" : said.join(", ");
}
