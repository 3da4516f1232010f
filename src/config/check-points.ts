/** Rules between the points of a list, and between the entries of any list with ids. */
import type { MergeLimits } from "../core/model.ts";
import { checkPoint, type DraftPoint } from "./check-point.ts";
import type { Judge } from "./mistakes.ts";
import type { Path } from "./places.ts";

/** Checks the points of a device or a profile. */
export function checkPoints(
  points: readonly (DraftPoint | undefined)[],
  merge: MergeLimits,
  path: Path,
  judge: Judge,
): void {
  checkIds(points, path, judge);
  points.forEach((point, index) => {
    if (point !== undefined) checkPoint(point, merge, [...path, index], judge);
  });
}

/** Checks that no id of a list is there twice. */
export function checkIds(
  entries: readonly ({ readonly id?: string | undefined } | undefined)[],
  path: Path,
  judge: Judge,
): void {
  const seen = new Map<string, number>();
  entries.forEach((entry, index) => {
    if (entry?.id === undefined) return;
    const first = seen.get(entry.id);
    if (first === undefined) seen.set(entry.id, index);
    else {
      const text = `must differ from the id of entry ${String(first + 1)} of the same list`;
      judge.complain([...path, index, "id"], text);
    }
  });
}
