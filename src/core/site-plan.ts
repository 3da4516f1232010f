/** What a site costs before it runs: requests, time on each endpoint, dead devices, disk. */
import { diskPlan, type DiskPlan } from "./disk-plan.ts";
import {
  endpointName,
  intervalsOf,
  timeoutOf,
  type Device,
  type Gateway,
  type Site,
} from "./model.ts";
import { planSchedule, type Plan, type PlannedRequest } from "./plan.ts";
import { tcpBytes } from "./request-cost.ts";
import { isBitTable, widthOf } from "./types.ts";

/** ms from the first byte of a request to the last of its answer that are assumed over TCP. */
export const ASSUMED_ROUND_TRIP = 20;
/** Percent of an endpoint's time beyond which slots begin to suffer, and that there is. */
const WARN = 80;
const ALL = 100;

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

/** What a schedule takes of its endpoint. */
export interface ScheduleLoad {
  readonly gateway: string;
  readonly interval: number;
  readonly requests: number;
  readonly bytes: number;
  /** Of one poll. */
  readonly ms: number;
  /** Percent of the interval. */
  readonly load: number;
}

/** What all schedules take of an endpoint: one request at a time goes there. */
export interface EndpointLoad {
  readonly endpoint: string;
  readonly schedules: readonly ScheduleLoad[];
  /** Percent of its time. */
  readonly load: number;
  /** ms when all schedules are due at once. */
  readonly together: number;
  readonly verdict: "ok" | "tight" | "too much";
}

/** What it costs that a device does not answer. */
export interface DeadUnit {
  readonly gateway: string;
  readonly device: string;
  /** ms of one attempt, in the schedule where it hurts most. */
  readonly timeout: number;
  readonly attempts: number;
  /** ms of the poll in which it falls silent, and of each further one: then it is asked once, and last. */
  readonly first: number;
  readonly later: number;
  readonly interval: number;
  /** Percent of the endpoint's time, all schedules of the device together, while it stays silent. */
  readonly load: number;
  /** Percent that this endpoint is then busy. */
  readonly withOthers: number;
}

/** All of it. */
export interface SitePlan {
  readonly assumed: { readonly roundTrip: number };
  readonly requests: readonly RequestLine[];
  readonly endpoints: readonly EndpointLoad[];
  readonly dead: readonly DeadUnit[];
  readonly disk: DiskPlan;
}

interface Scheduled {
  readonly gateway: Gateway;
  readonly interval: number;
  readonly plan: Plan;
}

/** Estimates a site from its configuration alone. */
export function planSite(site: Site): SitePlan {
  const scheduled = site.gateways.flatMap((gateway) =>
    intervalsOf(gateway).map((interval) => {
      return { gateway, interval, plan: planSchedule(gateway, interval) };
    }),
  );
  const requests = scheduled.flatMap(requestLines);
  const endpoints = endpointsOf(scheduled, requests);
  return {
    assumed: { roundTrip: ASSUMED_ROUND_TRIP },
    ...{ requests, endpoints },
    dead: site.gateways.flatMap((gateway) => deadUnits(gateway, endpoints)),
    disk: diskPlan(site, scheduled),
  };
}

/** Table and 1-based number, such as `400001`. */
export function referenceOf(table: PlannedRequest["table"], address: number): string {
  const digit = { coil: "0", discrete: "1", input: "3", holding: "4" }[table];
  return digit + String(address + 1).padStart(5, "0");
}

function requestLines({ gateway, interval, plan }: Scheduled): RequestLine[] {
  return plan.devices.flatMap(({ device, requests }) =>
    requests.map((request) => {
      const { table, address, count, unitId, points } = request;
      return {
        ...{ gateway: gateway.id, device: device.id, unitId, interval, table, address },
        reference: referenceOf(table, address),
        count,
        points: points.map(({ point }) => point.id),
        unused: unusedOf(request),
        bytes: tcpBytes(request),
        ms: ASSUMED_ROUND_TRIP,
      };
    }),
  );
}

function unusedOf({ count, points }: PlannedRequest): number {
  const used = new Set<number>();
  for (const { point, at } of points) {
    const width = isBitTable(point.table) ? 1 : widthOf(point);
    for (let i = 0; i < width; i++) used.add(at + i);
  }
  return count - used.size;
}

function endpointsOf(
  scheduled: readonly Scheduled[],
  requests: readonly RequestLine[],
): EndpointLoad[] {
  const lines = groupBy(requests, ({ gateway, interval }) => `${gateway}@${String(interval)}`);
  const groups = groupBy(scheduled, ({ gateway }) => endpointName(gateway));
  return [...groups].map(([endpoint, members]) => {
    const schedules = members.map(({ gateway, interval }) => {
      const own = lines.get(`${gateway.id}@${String(interval)}`) ?? [];
      const ms = sum(own.map((line) => line.ms));
      const bytes = sum(own.map((line) => line.bytes));
      const load = percent(ms, interval);
      return { gateway: gateway.id, interval, requests: own.length, bytes, ms, load };
    });
    const load = tenth(sum(schedules.map(({ ms, interval }) => (100 * ms) / interval)));
    const together = sum(schedules.map(({ ms }) => ms));
    return { endpoint, schedules, load, together, verdict: verdictOf(load) };
  });
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

function verdictOf(load: number): EndpointLoad["verdict"] {
  if (load >= ALL) return "too much";
  return load >= WARN ? "tight" : "ok";
}

function deadUnits(gateway: Gateway, endpoints: readonly EndpointLoad[]): DeadUnit[] {
  const shared = endpoints.find(({ endpoint }) => endpoint === endpointName(gateway));
  const answered = (interval: number, device: Device) =>
    ASSUMED_ROUND_TRIP *
    (planSchedule({ ...gateway, devices: [device] }, interval).devices[0]?.requests.length ?? 0);
  return gateway.devices.flatMap((device) => {
    const intervals = intervalsOf({ ...gateway, devices: [device] });
    const [interval] = intervals;
    if (interval === undefined) return [];
    const timeout = timeoutOf(gateway, interval);
    const attempts = attemptsOf(gateway.retries, timeout, interval);
    const load = intervals.map((each) => (100 * timeoutOf(gateway, each)) / each);
    const own = intervals.map((each) => (100 * answered(each, device)) / each);
    return {
      ...{ gateway: gateway.id, device: device.id, timeout, attempts, interval },
      ...{ first: attempts * timeout, later: timeout, load: tenth(sum(load)) },
      withOthers: tenth(Math.max((shared?.load ?? 0) - sum(own), 0) + sum(load)),
    };
  });
}

/** A retry is made only when it still fits before the next slot. */
function attemptsOf(retries: number, timeout: number, interval: number): number {
  return 1 + Math.max(0, Math.min(retries, Math.floor(interval / timeout) - 1));
}

function percent(part: number, whole: number): number {
  return tenth((100 * part) / whole);
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
