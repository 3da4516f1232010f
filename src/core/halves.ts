/** Cutting a request in two, to find out which of its registers a device refuses. */
import type { PlannedPoint, PlannedRequest } from "./plan.ts";
import { widthOf } from "./types.ts";

/** A request in two parts that read its points; what lay between them is read by neither. */
export type Halves = readonly [PlannedRequest, PlannedRequest];

/** Cuts a request near the middle of its points, between two that do not overlap; undefined when there are none. */
export function halvesOf(request: PlannedRequest): Halves | undefined {
  const { points } = request;
  const middle = points.length / 2;
  let best: number | undefined;
  let end = 0;
  for (const [n, planned] of points.entries()) {
    const isNearer = best === undefined || Math.abs(n - middle) < Math.abs(best - middle);
    if (n > 0 && planned.at >= end && isNearer) best = n;
    end = Math.max(end, planned.at + widthOf(planned.point));
  }
  if (best === undefined) return undefined;
  return [partOf(request, points.slice(0, best)), partOf(request, points.slice(best))];
}

/** What stands in place of some requests, in a list of them. */
export function replaced<R>(all: readonly R[], old: readonly R[], by: readonly R[]): R[] {
  const place = all.findIndex((each) => old.includes(each));
  const rest = all.filter((each) => !old.includes(each));
  return place < 0 ? rest : [...rest.slice(0, place), ...by, ...rest.slice(place)];
}

function partOf(request: PlannedRequest, points: readonly PlannedPoint[]): PlannedRequest {
  const skipped = Math.min(...points.map(({ at }) => at));
  const end = Math.max(...points.map((planned) => planned.at + widthOf(planned.point)));
  return {
    ...request,
    address: request.address + skipped,
    count: end - skipped,
    points: points.map((planned) => ({ ...planned, at: planned.at - skipped })),
  };
}
