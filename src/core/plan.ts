/** The plan of a schedule: the requests that cover its points within the limits and take the least time. */
import { decoderOf } from "./decode.ts";
import type { Decoder } from "./decode.ts";
import { intervalsOf, type Device, type Gateway, type Point, type Table } from "./model.ts";
import type { ReadRequest } from "./ports.ts";
import { longestOf, rangesOf, type Range } from "./ranges.ts";
import { isRefused } from "./refusals.ts";
import { timeByCount } from "./request-cost.ts";

/** A point with its place in the answer to its request. */
export interface PlannedPoint {
  readonly point: Point;
  /** Index of its first word in the answer. */
  readonly at: number;
  readonly decode: Decoder;
}

/** A request with the points it reads, by address. */
export interface PlannedRequest extends ReadRequest {
  readonly points: readonly PlannedPoint[];
}

/** The requests to one device. */
export interface DevicePlan {
  readonly device: Device;
  readonly requests: readonly PlannedRequest[];
  /** Whether its readings are published retained: where that is asked for, those of the device's shortest interval. */
  readonly retain: boolean;
}

/** The requests that a poll of one schedule sends. */
export interface Plan {
  /** Devices with points in the schedule, in the order of the configuration. */
  readonly devices: readonly DevicePlan[];
}

/** A plan of which only the requests are known. */
export interface Outline {
  readonly devices: readonly {
    readonly device: Device;
    readonly requests: readonly ReadRequest[];
  }[];
}

/** Makes the plan of the schedule of `gateway` with this interval (ms). */
export function planSchedule(gateway: Gateway, interval: number): Plan {
  const devices = eachDevice(gateway, interval, requestOf);
  return {
    devices: devices.map(({ device, requests }) => {
      const shortest = device.points.every((point) => point.interval >= interval);
      return { device, requests, retain: device.retain && shortest };
    }),
  };
}

/** The requests of that plan without what decodes their answers: enough to count them and to time them. */
export function outlineSchedule(gateway: Gateway, interval: number): Outline {
  return { devices: eachDevice(gateway, interval, readOf) };
}

/** Requests of one poll of every schedule of a gateway. */
export function countRequests(gateway: Gateway): number {
  const plans = intervalsOf(gateway).map((interval) => outlineSchedule(gateway, interval));
  return plans
    .flatMap((plan) => plan.devices)
    .reduce((sum, { requests }) => sum + requests.length, 0);
}

function eachDevice<R>(
  gateway: Gateway,
  interval: number,
  make: (unitId: number, table: Table, range: Range) => R,
): { readonly device: Device; readonly requests: readonly R[] }[] {
  const devices = gateway.devices.map((device) => {
    const points = device.points.filter((point) => point.interval === interval);
    return { device, requests: requestsOf(gateway, device, points, make) };
  });
  return devices.filter(({ requests }) => requests.length > 0);
}

/** Tables come in the order in which the points first name them. */
function requestsOf<R>(
  { connection, pause }: Gateway,
  device: Device,
  points: readonly Point[],
  make: (unitId: number, table: Table, range: Range) => R,
): R[] {
  const tables = [...new Set(points.map((point) => point.table))];
  return tables.flatMap((table) => {
    const ofTable = points.filter((point) => point.table === table);
    const { maxGap } = device.merge;
    const time = timeByCount(connection, table, pause?.betweenRequests);
    const refused = (start: number, end: number) => isRefused(device.refused, table, start, end);
    const rules = { longest: longestOf(table, device.merge), maxGap, isRefused: refused, time };
    return rangesOf(ofTable, rules).map((range) => make(device.unitId, table, range));
  });
}

function readOf(unitId: number, table: Table, { start, end }: Range): ReadRequest {
  return { unitId, table, address: start, count: end - start };
}

function requestOf(unitId: number, table: Table, range: Range): PlannedRequest {
  const { start, points } = range;
  return {
    ...readOf(unitId, table, range),
    points: points.map((point) => ({
      point,
      at: point.address - start,
      decode: decoderOf(point),
    })),
  };
}
