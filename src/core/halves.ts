/** Cutting a request in two, to find out which of its registers a device refuses. */
import type { PlannedPoint, PlannedRequest } from "./plan.ts";
import { reachOf } from "./types.ts";

/** A request in two parts that read its points; what lay between them is read by neither. */
export type Halves = readonly [PlannedRequest, PlannedRequest];

/** Cuts a request near the middle of its points, between two that do not overlap; undefined when there are none. */
export function halvesOf(request: PlannedRequest): Halves | undefined {
  const points = [...request.points].sort((a, b) => startOf(a) - startOf(b));
  const middle = points.length / 2;
  let best: number | undefined;
  let end = 0;
  for (const [n, planned] of points.entries()) {
    const isNearer = best === undefined || Math.abs(n - middle) < Math.abs(best - middle);
    if (n > 0 && startOf(planned) >= end && isNearer) best = n;
    end = Math.max(end, endOf(planned));
  }
  if (best === undefined) return undefined;
  const behind = new Set(points.slice(best));
  const inOrder = (isBehind: boolean) =>
    request.points.filter((planned) => behind.has(planned) === isBehind);
  return [partOf(request, inOrder(false)), partOf(request, inOrder(true))];
}

/** What stands in place of some requests, in a list of them. */
export function replaced<R>(all: readonly R[], old: readonly R[], by: readonly R[]): R[] {
  const place = all.findIndex((each) => old.includes(each));
  const rest = all.filter((each) => !old.includes(each));
  return place < 0 ? rest : [...rest.slice(0, place), ...by, ...rest.slice(place)];
}

function partOf(request: PlannedRequest, points: readonly PlannedPoint[]): PlannedRequest {
  const skipped = Math.min(...points.map(startOf));
  const end = Math.max(...points.map(endOf));
  return {
    ...request,
    address: request.address + skipped,
    count: end - skipped,
    points: points.map((planned) => ({ ...planned, at: planned.at - skipped })),
  };
}

function startOf({ point, at }: PlannedPoint): number {
  return at + reachOf(point).from;
}

function endOf({ point, at }: PlannedPoint): number {
  return at + reachOf(point).to;
}
