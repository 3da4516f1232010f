/** The plan of a site for the person who decides about its intervals. */
import type { DeadUnit } from "../core/dead-unit.ts";
import type { EndpointLoad, ScheduleLoad } from "../core/endpoint-load.ts";
import { stretchText } from "../core/refusals.ts";
import type { RequestLine, SitePlan } from "../core/site-plan.ts";
import { columns } from "./columns.ts";
import { count } from "./counts.ts";
import { duration, interval } from "./durations.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";

/** Rows of a table that are shown before the rest is only counted. */
const MOST_ROWS = 20;
const MOST_ENDPOINTS = 10;

/** The lines: four tables, each with what decides in it; the time comes first, the requests behind it explain it. */
export function planLines(plan: SitePlan, paint: Paint): string[] {
  return [
    ...endpointLines(plan, paint),
    ...endpointNotes(plan),
    ...titled("when a device does not answer", deadTable(plan.dead, paint), paint),
    ...deadNotes(plan.dead),
    ...titled("requests of one poll", requestTable(plan.requests), paint),
    requestTotal(plan.requests),
    ...plan.refused.map(refusedText),
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

function refusedText({ gateway, device, ...refusal }: SitePlan["refused"][number]): string {
  return `  ${device} of ${gateway} refuses ${stretchText(refusal)}: the requests keep to it`;
}

function budgetText({ budget: { warn, refuse } }: SitePlan): string {
  const beyond = refuse === "never" ? "nothing is refused" : `refused above ${String(refuse)} %`;
  return `warned above ${String(warn)} %, a serial line ${beyond}`;
}

/** Each endpoint has a line of its own: the path of a serial line would push its numbers out of sight. */
function endpointLines(plan: SitePlan, paint: Paint): string[] {
  const sorted = [...plan.endpoints].sort((a, b) => b.load - a.load);
  const shown = sorted.slice(0, MOST_ENDPOINTS);
  const head = ["gateway", "every", "requests", "bytes", "ms", "load", "shortest"];
  const rows = shown.map((endpoint) => scheduleRows(endpoint, paint));
  const [first = "", ...lines] = columns([head.map((word) => paint("dim", word)), ...rows.flat()]);
  const blocks = shown.flatMap(({ endpoint }, i) => [
    `  ${printable(endpoint)}`,
    ...lines.splice(0, rows[i]?.length ?? 0).map((line) => `    ${line}`),
  ]);
  const left = sorted.length - shown.length;
  const rest = left === 0 ? [] : [`  ${String(left)} more; --json has all`];
  const title = paint("bold", `time on each endpoint, ${budgetText(plan)}`);
  return ["", title, `    ${first}`, ...blocks, ...rest];
}

function scheduleRows(endpoint: EndpointLoad, paint: Paint): string[][] {
  const rows = endpoint.schedules.map((schedule) => [
    ...[schedule.gateway, interval(schedule.interval), String(schedule.requests)],
    ...[String(schedule.bytes), tenths(schedule.ms)],
    ...[`${tenths(schedule.load)} %`, shortestText(schedule)],
  ]);
  const together = tenths(endpoint.together);
  return [...rows, ["together", "", "", "", together, loadText(endpoint, paint)]];
}

function shortestText({ shortest }: ScheduleLoad): string {
  return shortest === null ? "none" : interval(shortest);
}

function loadText({ load, verdict }: EndpointLoad, paint: Paint): string {
  const style = verdict === "ok" ? "green" : verdict === "tight" ? "yellow" : "red";
  return `${tenths(load)} % ${paint(style, verdict)}`;
}

function endpointNotes({ endpoints, assumed, budget }: SitePlan): string[] {
  const serial = endpoints.some(({ connection }) => connection.kind === "serial");
  const network = endpoints.some(({ connection }) => connection.kind !== "serial");
  const shortest =
    `  shortest: the shortest interval at which its endpoint stays within ${String(budget.warn)} % ` +
    "while the other schedules stay as they are";
  const onLine =
    `  a serial line: its characters and silences, and ${String(assumed.turnaround)} ms ` +
    "assumed before a device answers";
  const onNetwork =
    `  over a network: ${String(assumed.roundTrip)} ms assumed for each answer and connect; multiply by ` +
    "(your answer time / the assumed one)";
  return [shortest, ...(serial ? [onLine] : []), ...(network ? [onNetwork] : [])];
}

function deadTable(dead: readonly DeadUnit[], paint: Paint): string[][] {
  const sorted = [...dead].sort((a, b) => b.withOthers - a.withOthers || b.load - a.load);
  return [
    [
      ...["gateway", "device", "every", "first poll", "each later poll", "load", "endpoint then"],
      ...["until left out", "then a probe"],
    ],
    ...sorted.map((unit) => {
      const then = `${tenths(unit.withOthers)} %`;
      return [
        ...[unit.gateway, unit.device, interval(unit.interval)],
        `${String(unit.first)} ms (${attemptText(unit)})`,
        `${String(unit.later)} ms`,
        ...[`${tenths(unit.load)} %`, unit.withOthers > 100 ? paint("red", then) : then],
        ...[`${String(unit.polls)} polls, ${duration(unit.lasts)}`, probeText(unit)],
      ];
    }),
  ];
}

function attemptText({ attempts, timeout, quiet }: DeadUnit): string {
  const each = quiet === 0 ? String(timeout) : `(${String(timeout)} + ${String(quiet)} quiet)`;
  return `${String(attempts)} x ${each}`;
}

function probeText({ probe }: DeadUnit): string {
  if (probe === "never") return "never";
  return `every ${interval(probe.first)}..${interval(probe.max)}`;
}

function deadNotes(dead: readonly DeadUnit[]): string[] {
  const quiet = dead.some((unit) => unit.quiet > 0);
  const why =
    "  quiet: on a line without ids nothing is asked until a late answer can no longer come (maxAnswerTime)";
  const over = dead.filter(({ withOthers }) => withOthers > 100).length;
  const which = over === 1 ? "1 device" : `any of ${String(over)} devices`;
  const levers = quiet ? "the timeout and maxAnswerTime" : "the timeout";
  const shares =
    "  load: what the silent device takes of its endpoint's time until it is left out; " +
    "endpoint then: what all take of it together";
  const leftOut =
    "  left out: its breaker opens after failureThreshold polls without an answer, at least 10s; " +
    "a probe costs as much as one later poll";
  return [
    ...(quiet ? [why] : []),
    ...(dead.length === 0 ? [] : [shares, leftOut]),
    ...(over === 0
      ? []
      : [
          `  slots are missed while ${which} is silent and not left out yet: lower ${levers}, or poll it less often`,
        ]),
  ];
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
