/** The plan of a site for the person who decides about its intervals. */
import type { DeadUnit, EndpointLoad, RequestLine, SitePlan } from "../core/site-plan.ts";
import { columns } from "./columns.ts";
import { count } from "./counts.ts";
import { duration, interval } from "./durations.ts";
import type { Paint } from "./paint.ts";

/** Rows of a table that are shown before the rest is only counted. */
const MOST_ROWS = 20;

/** The lines: four tables, each with its total or what weighs most in it. */
export function planLines(plan: SitePlan, paint: Paint): string[] {
  return [
    ...titled("requests of one poll", requestTable(plan.requests), paint),
    requestTotal(plan.requests),
    ...titled(`time on each endpoint, ${roundTrip(plan)}`, endpointTable(plan, paint), paint),
    ...endpointNotes(plan),
    ...titled("when a device does not answer", deadTable(plan.dead, paint), paint),
    ...deadNotes(plan.dead),
    ...titled("disk", diskTable(plan), paint),
    ...diskNotes(plan),
  ];
}

function titled(title: string, rows: readonly string[][], paint: Paint): string[] {
  const [head = [], ...body] = rows;
  const shown = body.slice(0, MOST_ROWS);
  const left = body.length - shown.length;
  const lines = columns([head.map((word) => paint("dim", word)), ...shown]);
  const rest = left === 0 ? [] : [`  ${String(left)} more; --json has all`];
  return ["", paint("bold", title), ...lines.map((line) => `  ${line}`), ...rest];
}

function requestTable(requests: readonly RequestLine[]): string[][] {
  const head = ["gateway", "every", "device", "unit", "table", "address", "reference"];
  return [
    [...head, "count", "points", "unused", "bytes", "ms"],
    ...requests.map((line) => [
      ...[line.gateway, interval(line.interval), line.device, String(line.unitId), line.table],
      ...[String(line.address), line.reference, String(line.count), String(line.points.length)],
      ...[String(line.unused), String(line.bytes), String(line.ms)],
    ]),
  ];
}

function requestTotal(requests: readonly RequestLine[]): string {
  const points = sum(requests.map((line) => line.points.length));
  const unused = sum(requests.map((line) => line.unused));
  const read = sum(requests.map((line) => line.count));
  const share = read === 0 ? 0 : Math.round((100 * unused) / read);
  return (
    `  total: ${count(requests.length, "request")} for ${count(points, "point")}; ` +
    `${String(unused)} of ${String(read)} registers and bits read are unused (${String(share)} %)`
  );
}

function roundTrip({ assumed }: SitePlan): string {
  return `with ${String(assumed.roundTrip)} ms assumed for each answer`;
}

function endpointTable({ endpoints }: SitePlan, paint: Paint): string[][] {
  const sorted = [...endpoints].sort((a, b) => b.load - a.load);
  return [
    ["endpoint", "gateway", "every", "requests", "bytes", "ms", "load"],
    ...sorted.flatMap((endpoint) => [
      ...endpoint.schedules.map((schedule, i) => [
        ...[i === 0 ? endpoint.endpoint : "", schedule.gateway, interval(schedule.interval)],
        ...[String(schedule.requests), String(schedule.bytes), String(schedule.ms)],
        `${tenths(schedule.load)} %`,
      ]),
      ["", "together", "", "", "", String(endpoint.together), loadText(endpoint, paint)],
    ]),
  ];
}

function loadText({ load, verdict }: EndpointLoad, paint: Paint): string {
  const style = verdict === "ok" ? "green" : verdict === "tight" ? "yellow" : "red";
  return `${tenths(load)} % ${paint(style, verdict)}`;
}

function endpointNotes({ endpoints }: SitePlan): string[] {
  const busiest = endpoints.reduce<EndpointLoad | undefined>(
    (most, other) => (most === undefined || other.load > most.load ? other : most),
    undefined,
  );
  if (busiest === undefined) return [];
  const { endpoint, schedules } = busiest;
  const first = schedules.reduce((most, other) => (other.load > most.load ? other : most));
  return [
    `  busiest: ${endpoint}; ${first.gateway} every ${interval(first.interval)} takes most of it`,
    "  the devices were not asked: multiply ms and load by (your answer time / the assumed one)",
  ];
}

function deadTable(dead: readonly DeadUnit[], paint: Paint): string[][] {
  const sorted = [...dead].sort((a, b) => b.withOthers - a.withOthers || b.load - a.load);
  return [
    ["gateway", "device", "every", "first poll", "each later poll", "load", "endpoint then"],
    ...sorted.map((unit) => {
      const then = `${tenths(unit.withOthers)} %`;
      return [
        ...[unit.gateway, unit.device, interval(unit.interval)],
        `${String(unit.first)} ms (${String(unit.attempts)} x ${String(unit.timeout)})`,
        `${String(unit.later)} ms`,
        ...[`${tenths(unit.load)} %`, unit.withOthers >= 100 ? paint("red", then) : then],
      ];
    }),
  ];
}

function deadNotes(dead: readonly DeadUnit[]): string[] {
  const over = dead.filter(({ withOthers }) => withOthers >= 100).length;
  if (over === 0) return [];
  const which = over === 1 ? "1 device" : `any of ${String(over)} devices`;
  return [`  slots are missed while ${which} is silent: lower the timeout or poll it less often`];
}

function diskTable({ disk }: SitePlan): string[][] {
  const sorted = [...disk.schedules].sort(
    (a, b) => b.pollsPerDay * b.bytesPerPoll - a.pollsPerDay * a.bytesPerPoll,
  );
  return [
    ["gateway", "every", "polls a day", "bytes a poll", "of that readings", "MB a day"],
    ...sorted.map((schedule) => [
      ...[schedule.gateway, interval(schedule.interval), whole(schedule.pollsPerDay)],
      ...[String(schedule.bytesPerPoll), String(schedule.readingBytes)],
      megabytes(schedule.pollsPerDay * schedule.bytesPerPoll),
    ]),
  ];
}

function diskNotes({ disk }: SitePlan): string[] {
  const { syncsPerDay, logBytesPerDay, diskBytesPerDay, hoursUntilFull, spoolBytes } = disk;
  const lines = [
    `  syncs a day: at most ${whole(syncsPerDay)}, a claim and an outcome for each poll`,
    `  written a day: ${megabytes(logBytesPerDay)} MB of records; about ` +
      `${megabytes(diskBytesPerDay)} MB on the disk (log and tables, and 4 KiB for each sync)`,
  ];
  if (hoursUntilFull === null) return lines;
  const held = duration(hoursUntilFull * 3_600_000);
  return [...lines, `  spool of ${megabytes(spoolBytes)} MB: full after ${held} without a broker`];
}

function whole(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function tenths(value: number): string {
  return value.toFixed(1);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
