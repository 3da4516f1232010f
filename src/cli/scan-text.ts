/** What a unit answers and which profiles fit, for people. */
import type { FoundUnit } from "../core/scan.ts";

/** What it said to the first request. */
export function answerText({ answer }: FoundUnit): string {
  return "exception" in answer ? `exception ${String(answer.exception)}` : "value";
}

/** The profiles, with what was seen that speaks for the first. */
export function fitsText({ profiles }: FoundUnit): string {
  const [first] = profiles;
  if (first === undefined) return "-";
  const seen = Object.entries(first.seen).map(([id, value]) => `${id} ${String(value)}`);
  return `${profiles.map(({ profile }) => profile).join(" or ")} (${seen.join(", ")})`;
}
