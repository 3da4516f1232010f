/** What a site costs before it runs: requests, time on each endpoint, dead devices, disk. */
import { deadUnits, type DeadUnit } from "./dead-unit.ts";
import { diskPlan, type DiskPlan } from "./disk-plan.ts";
import { endpointLabel, endpointLoads, tenth, timeOf, type EndpointLoad } from "./endpoint-load.ts";
import { intervalsOf, type Gateway, type Refusal, type Site } from "./model.ts";
import { planSchedule, type Plan, type PlannedRequest } from "./plan.ts";
import { referenceOf } from "./reference.ts";
import { ASSUMED_ROUND_TRIP, ASSUMED_TURNAROUND, requestBytes } from "./request-cost.ts";
import { isBitTable, widthOf } from "./types.ts";

/** One request of a plan. */
export interface RequestLine {
  readonly gateway: string;
  readonly device: string;
  readonly unitId: number;
  /** ms. */
  readonly interval: number;
  readonly table: PlannedRequest["table"];
  /** 0-based. */
  readonly address: number;
  /** 1-based, six digits, table first. */
  readonly reference: string;
  readonly count: number;
  readonly points: readonly string[];
  /** Registers or bits that are read and belong to no point. */
  readonly unused: number;
  /** Of request and answer on the wire, without the headers of TCP/IP. */
  readonly bytes: number;
  /** Expected. */
  readonly ms: number;
}

/** Registers that a device refuses to have read with others. */
export interface RefusedLine extends Refusal {
  readonly gateway: string;
  readonly device: string;
}

/** All of it. */
export interface SitePlan {
  /** ms: of an answer over a network, and of a device on a serial line before it answers. */
  readonly assumed: { readonly roundTrip: number; readonly turnaround: number };
  readonly budget: Site["budget"];
  readonly requests: readonly RequestLine[];
  /** What devices were found to refuse; the requests keep to it. */
  readonly refused: readonly RefusedLine[];
  readonly endpoints: readonly EndpointLoad[];
  readonly dead: readonly DeadUnit[];
  readonly disk: DiskPlan;
}

interface Planned {
  readonly gateway: Gateway;
  readonly interval: number;
  readonly plan: Plan;
}

/** Estimates a site from its configuration alone. */
export function planSite(site: Site): SitePlan {
  const scheduled = scheduledOf(site);
  const endpoints = endpointLoads(scheduled, site.budget);
  const byLabel = new Map(endpoints.map((endpoint) => [endpoint.endpoint, endpoint]));
  return {
    assumed: { roundTrip: ASSUMED_ROUND_TRIP, turnaround: ASSUMED_TURNAROUND },
    budget: site.budget,
    requests: scheduled.flatMap(requestLines),
    refused: site.gateways.flatMap(refusedLines),
    endpoints,
    dead: site.gateways.flatMap((gateway) =>
      deadUnits(gateway, byLabel.get(endpointLabel(gateway))),
    ),
    disk: diskPlan(site, scheduled),
  };
}

function scheduledOf(site: Site): Planned[] {
  return site.gateways.flatMap((gateway) =>
    intervalsOf(gateway).map((interval) => {
      return { gateway, interval, plan: planSchedule(gateway, interval) };
    }),
  );
}

function refusedLines({ id, devices }: Gateway): RefusedLine[] {
  return devices.flatMap(({ id: device, refused = [] }) =>
    refused.map((refusal) => ({ gateway: id, device, ...refusal })),
  );
}

function requestLines({ gateway, interval, plan }: Planned): RequestLine[] {
  return plan.devices.flatMap(({ device, requests }) =>
    requests.map((request) => {
      const { table, address, count, unitId, points } = request;
      return {
        ...{ gateway: gateway.id, device: device.id, unitId, interval, table, address },
        reference: referenceOf(table, address),
        count,
        points: points.map(({ point }) => point.id),
        unused: unusedOf(request),
        bytes: requestBytes(gateway.connection, request),
        ms: tenth(timeOf(gateway, request)),
      };
    }),
  );
}

function unusedOf({ count, points }: PlannedRequest): number {
  const used = new Set<number>();
  for (const { point, at } of points) {
    const width = isBitTable(point.table) ? 1 : widthOf(point);
    for (let i = 0; i < width; i++) used.add(at + i);
    if (point.scaleRegister !== undefined) used.add(at + point.scaleRegister - point.address);
  }
  return count - used.size;
}
