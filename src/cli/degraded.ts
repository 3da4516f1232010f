/** Why a node counts as degraded. */
import type { DeviceHealth, GatewayHealth } from "../core/payloads.ts";
import { count } from "./counts.ts";
import { duration } from "./durations.ts";
import { localTime } from "./local-time.ts";
import { printable } from "./printable.ts";
import type { Status } from "./reply.ts";

/** ms an external broker may be away. */
const AWAY_TOLERATED = 60_000;

/** One line for each reason; none: healthy. A gateway that was stopped is no reason. */
export function degradedBy({ node, gateways }: Status): string[] {
  return [
    ...gateways.filter((gateway) => isDegraded(gateway)).map(gatewayReason),
    ...nodeReasons(node),
  ];
}

/** Whether a gateway is meant to run and does not, or not wholly. */
export function isDegraded({ desired, state }: GatewayHealth): boolean {
  return desired === "running" && state !== "running";
}

/** What is wrong with the node beside its gateways. */
export function nodeReasons(node: Status["node"]): string[] {
  const { away, reason } = node.mqtt;
  const reasons: string[] = [];
  if (node.durable && away !== undefined && away > AWAY_TOLERATED) {
    const why = reason === undefined ? "" : `: ${printable(reason)}`;
    reasons.push(`the broker has been away for ${duration(away)}${why}`);
  }
  if (node.store.state !== "ok") {
    const { state, reason } = node.store;
    reasons.push(`the store is ${state}${reason === undefined ? "" : `: ${printable(reason)}`}`);
  }
  if (node.findings > 0) reasons.push(`validate shows ${count(node.findings, "finding")}`);
  return reasons;
}

/** What is lost to subscribers though the node is healthy; it stays until somebody looks at it. */
export function refusedLines({ spool }: Status["node"]): string[] {
  if (spool.quarantined === 0) return [];
  const what = count(spool.quarantined, "message");
  return [`the broker has refused ${what}, kept aside: it may not take the topic, or the size`];
}

function offPart({ device, reason, breaker }: DeviceHealth): string {
  return `${device} ${reason ?? "offline"}${breaker === "closed" ? "" : " (left out)"}`;
}

function gatewayReason({ gateway, state, since, devices }: GatewayHealth): string {
  const off = devices.filter(({ online }) => online === false);
  const which = off.map(offPart).join(", ");
  const text = `${gateway} is ${state} since ${localTime(since)}`;
  return which === "" ? text : `${text}: ${which}`;
}
