/** The long form of `status`: every schedule and device. */
import { MISS_REASONS, missedOf } from "../core/outcome.ts";
import type { DeviceHealth, GatewayHealth, NodeHealth, ScheduleHealth } from "../core/payloads.ts";
import { stretchText } from "../core/refusals.ts";
import { columns } from "./columns.ts";
import { percent } from "./counts.ts";
import { isDegraded, nodeReasons } from "./degraded.ts";
import { duration, interval, milliseconds as ms } from "./durations.ts";
import { localTime } from "./local-time.ts";
import type { Paint } from "./paint.ts";
import type { Status } from "./reply.ts";
import { stateWord } from "./state-word.ts";
import { nodeLine, type Drawing } from "./status-summary.ts";

const MIB = 2 ** 20;

/** The lines. */
export function detailedLines(status: Status, draw: Drawing): string[] {
  const { paint } = draw;
  return [
    nodeLine(status, paint),
    ...indented(nodeRows(status.node)),
    ...nodeReasons(status.node).map((reason) => `  ${paint("yellow", reason)}`),
    ...status.gateways.flatMap((gateway) => ["", ...gatewayLines(gateway, draw)]),
  ];
}

function nodeRows({ store, spool, loopDelay, rss }: NodeHealth): string[][] {
  const { readings, bytes, oldest, hoursUntilFull, dropped } = spool;
  const since = oldest === null ? "" : `, oldest ${localTime(oldest)}`;
  const full = hoursUntilFull === null ? "" : `, full in ${duration(hoursUntilFull * 3_600_000)}`;
  const size = store.bytes === null ? "" : `, ${mebibytes(store.bytes)}`;
  return [
    ["store", `commit p50 ${ms(store.commit.p50)}, p99 ${ms(store.commit.p99)}${size}`],
    ["spool", `${String(readings)} waiting, ${mebibytes(bytes)}${since}${full}`],
    ...(dropped > 0 ? [["", `${String(dropped)} dropped`]] : []),
    ["process", `loop delay p99 ${ms(loopDelay.p99)}, memory ${mebibytes(rss)}`],
  ];
}

function gatewayLines(gateway: GatewayHealth, draw: Drawing): string[] {
  const { state, since, reason, desired, lastGood, successRate, schedules, devices } = gateway;
  const { paint } = draw;
  const why = reason === undefined ? "" : `  ${reason}`;
  const rate = [ratePart("hour", successRate.hour), ratePart("day", successRate.day)].join("");
  const good = lastGood === null ? "never" : localTime(lastGood);
  return [
    `${paint("bold", gateway.gateway)}  ${stateWord(state, paint)} since ${localTime(since)}${why}`,
    ...indented([
      ["desired", desired],
      ["last good", `${good}${rate}`],
    ]),
    ...schedules.flatMap((schedule) => indented(scheduleRows(schedule))),
    ...indented(devices.map((device) => deviceRow(device, paint))),
    ...devices.flatMap(refusedLines),
    ...tryLines(gateway, draw),
  ];
}

function scheduleRows({
  interval: every,
  counts,
  late,
  nextSlot,
  seq,
}: ScheduleHealth): string[][] {
  const { good, partial, failed, unknown, missed } = counts;
  const reasons = MISS_REASONS.flatMap((reason) => {
    const slots = missed[reason] ?? 0;
    return slots > 0 ? [`${reason} ${String(slots)}`] : [];
  });
  const why = reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  const next = nextSlot === null ? "none, stopped" : localTime(nextSlot);
  return [
    [
      `every ${interval(every)}`,
      `good ${String(good)}  partial ${String(partial)}  failed ${String(failed)}  ` +
        `unknown ${String(unknown)}  missed ${String(missedOf(counts))}${why}`,
    ],
    ["", `late p50 ${ms(late.p50)}  p99 ${ms(late.p99)}  max ${ms(late.max)}`],
    ["", `next slot ${next}, last seq ${String(seq)}`],
  ];
}

function deviceRow(health: DeviceHealth, paint: Paint) {
  const { device, online, failures, since, reason } = health;
  const state =
    online === null
      ? paint("dim", "not polled yet")
      : online
        ? paint("green", "online")
        : paint("red", "offline");
  const row = failures === 0 ? "" : `${String(failures)} without an answer in a row`;
  const left = leftOut(health);
  const why = [row, left].filter((part) => part !== "").join(", ");
  return ["device", device, state, `since ${localTime(since)}`, reason ?? "", why];
}

/** What polls found out about a device. */
function refusedLines({ device, refused = [] }: DeviceHealth): string[] {
  return refused.map((refusal) => {
    return `  ${device} refuses ${stretchText(refusal)}, exception ${String(refusal.exception)}`;
  });
}

/** How long a device is left out that its breaker leaves out. */
function leftOut({ breaker, nextProbe }: DeviceHealth): string {
  if (breaker === "closed") return "";
  if (breaker === "probing") return "left out, being probed";
  return nextProbe === undefined
    ? "left out until it is enabled"
    : `left out, next probe ${localTime(nextProbe)}`;
}

function tryLines(gateway: GatewayHealth, draw: Drawing): string[] {
  const which = ` --gateway ${gateway.gateway}`;
  if (gateway.desired === "stopped") return [`  try  ${draw.tryLine("start", which)}`];
  if (!isDegraded(gateway)) return [];
  const isOpen = gateway.devices.some(({ breaker }) => breaker === "open");
  return [
    `  try  ${draw.tryLine("events", `${which} --since 1h`)}`,
    ...(isOpen ? [`  try  ${draw.tryLine("enable", which)}`] : []),
  ];
}

function ratePart(span: string, rate: number | null): string {
  return rate === null ? "" : `, last ${span} ${percent(rate, 1)} good`;
}

function indented(rows: readonly (readonly string[])[]): string[] {
  return columns(rows).map((line) => `  ${line}`);
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
