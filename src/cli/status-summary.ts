/** The short form of `status`: a line for the node, a line a gateway. */
import { dueOf } from "../core/outcome.ts";
import type { GatewayHealth, NodeHealth } from "../core/payloads.ts";
import { columns } from "./columns.ts";
import { count, percent } from "./counts.ts";
import { isDegraded, nodeReasons } from "./degraded.ts";
import { duration, interval, milliseconds } from "./durations.ts";
import { localTime } from "./local-time.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";
import type { Status } from "./reply.ts";
import { stateWord } from "./state-word.ts";

/** What the forms of `status` are drawn with. */
export interface Drawing {
  readonly paint: Paint;
  /** A line to paste: a command, and its options beside those that name the node. */
  readonly tryLine: (command: string, options: string) => string;
}

const HEADING = ["gateway", "state", "interval", "good", "late p99", "devices", "since", "reason"];

/** The lines. */
export function summaryLines(status: Status, draw: Drawing): string[] {
  const { paint } = draw;
  const { gateways } = status;
  const rows = gateways.map((gateway) => row(gateway, paint));
  const heading = HEADING.map((word) => paint("dim", word));
  const wrong = gateways.find(isDegraded);
  return [
    nodeLine(status, paint),
    ...(rows.length === 0 ? [] : columns([heading, ...rows])),
    ...nodeReasons(status.node).map((reason) => paint("yellow", reason)),
    ...(wrong === undefined ? [] : [`try  ${draw.tryLine("status", " --detailed")}`]),
  ];
}

/** The node in one line. */
export function nodeLine({ node, gateways }: Status, paint: Paint): string {
  const running = gateways.filter(({ state }) => state === "running").length;
  const others = (["degraded", "disabled"] as const).map((state) => {
    const many = gateways.filter((gateway) => gateway.state === state).length;
    return many === 0 ? "" : `, ${String(many)} ${state}`;
  });
  const { errors = 0, restarts = 0 } = node;
  return [
    `${paint("bold", printable(node.node))} up ${duration(node.uptime)}`,
    `${String(running)} of ${String(gateways.length)} gateways running${others.join("")}`,
    brokerPart(node),
    `store ${node.store.state}`,
    ...(node.spool.readings > 0 ? [`${String(node.spool.readings)} readings waiting`] : []),
    ...(node.spool.quarantined > 0 ? [`${String(node.spool.quarantined)} refused`] : []),
    ...(errors > 0 ? [`${count(errors, "error")} in edgepoll itself`] : []),
    ...(restarts > 0 ? [`${count(restarts, "schedule")} restarted`] : []),
    ...(node.clock === "unsure" ? ["the wall clock is unsure"] : []),
  ].join("  ");
}

function brokerPart({ durable, mqtt: { away, version, commands } }: NodeHealth): string {
  if (away !== undefined) return `broker away for ${duration(away)}`;
  const protocol = version === 5 ? "MQTT 5" : "MQTT 3.1.1";
  const deaf = commands ? "" : ", takes no commands";
  return durable ? `broker connected (${protocol}${deaf})` : "broker embedded";
}

function row(gateway: GatewayHealth, paint: Paint): string[] {
  const { devices, schedules } = gateway;
  const online = devices.filter((device) => device.online === true).length;
  const late = schedules.flatMap((schedule) => schedule.late.p99 ?? []);
  return [
    gateway.gateway,
    stateWord(gateway.state, paint),
    schedules.map((schedule) => interval(schedule.interval)).join(" "),
    goodOf(schedules),
    milliseconds(late.length === 0 ? null : Math.max(...late)),
    `${String(online)}/${String(devices.length)}`,
    localTime(gateway.since),
    gateway.reason ?? "",
  ];
}

/** Good slots of those due; slots that were stopped on purpose were not due. */
export function goodOf(schedules: GatewayHealth["schedules"]): string {
  const sum = (part: (counts: GatewayHealth["schedules"][number]["counts"]) => number) =>
    schedules.reduce((total, { counts }) => total + part(counts), 0);
  const due = sum((counts) => dueOf(counts) - (counts.missed.stopped ?? 0));
  const good = sum((counts) => counts.good);
  return due === 0 ? "-" : `${String(good)}/${String(due)} ${percent(good, due)}`;
}
