/** What a node says when it has started. */
import type { NodeReport } from "../app/api.ts";
import { accountNames } from "../core/account-change.ts";
import { columns } from "./columns.ts";
import { count } from "./counts.ts";
import { duration, interval } from "./durations.ts";
import { localTime } from "./local-time.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";
import { quoted, shellWord } from "../core/shell.ts";
import { sizesText, withoutEffectText } from "./sizes.ts";

const DEFAULT_PORT = 1883;

/** The lines; those under "watch it" work when pasted. */
export function banner(report: NodeReport, caller: string, paint: Paint): string[] {
  const { version, node, nodeVersion, pid, warnings, withoutEffect } = report;
  const title = `edgepoll ${version}  ${node}  node ${nodeVersion}  pid ${String(pid)}`;
  const here = ` --state-dir ${shellWord(report.stateDir)}`;
  const rows: [string, string][] = [
    ["config", `${report.config}  ${sizesOf(report.gateways)}`],
    ["state", `${report.stateDir}  ${lastRun(report)}`],
    ...accountRows(report),
    ["broker", brokerLine(report.broker)],
    ["polling", pollingLine(report)],
    ...stoppedRows(report, `${caller} start${here}`),
    ...warnings.map((warning): [string, string] => ["warning", warning]),
  ];
  if (withoutEffect.length > 0) rows.push(["no effect", withoutEffectText(withoutEffect)]);
  const told = rows.map(([what, text]) => [what, printable(text)]);
  const marked = columns(told).map((line) =>
    line.startsWith("warning") ? paint("yellow", line) : line,
  );
  const watch = [...subscribeLine(report), `${caller} status${here}`];
  return [paint("bold", title), ...marked, "watch it:", ...watch.map((line) => `  ${line}`)];
}

function sizesOf(gateways: NodeReport["gateways"]): string {
  const sum = (key: "devices" | "points" | "requests") =>
    gateways.reduce((total, gateway) => total + gateway[key], 0);
  const [devices, points, requests] = [sum("devices"), sum("points"), sum("requests")];
  return sizesText({ gateways: gateways.length, devices, points, requests });
}

function lastRun({ lastStop, unknown, missed, known, schedules }: NodeReport): string {
  const unclean = known === 0 ? "new" : "no clean stop on record";
  const stop = lastStop === null ? unclean : `stopped cleanly ${localTime(lastStop)}`;
  const found =
    unknown + missed === 0 ? "" : `; ${count(missed, "slot")} missed, ${String(unknown)} unknown`;
  return `${stop}${found}; ${count(schedules, "schedule")}`;
}

/** What a changed configuration did to the accounts. */
function accountRows({ closed, opened }: NodeReport): [string, string][] {
  const rows = [
    ["closed", closed, "; their past is kept"],
    ["opened", opened, ", from seq 1 on"],
  ] as const;
  return rows
    .filter(([, ids]) => ids.length > 0)
    .map(([word, ids, then]) => [word, `accounts ${accountNames(ids)}${then}`]);
}

function brokerLine({ embedded, url }: NodeReport["broker"]): string {
  return embedded ? `${url}  embedded, loopback only` : url;
}

function pollingLine({ gateways, stopped, firstSlotIn }: NodeReport): string {
  const still = new Set(stopped.map(({ gateway }) => gateway));
  const running = gateways.filter(({ id }) => !still.has(id));
  if (running.length === 0 || firstSlotIn === null) return "nothing";
  const each = running.map(({ id, intervals }) => `${id} ${intervals.map(interval).join(" ")}`);
  return `${each.join(", ")}  first slot in ${duration(firstSlotIn)}`;
}

function stoppedRows({ stopped }: NodeReport, start: string): [string, string][] {
  return stopped.map(({ gateway, since, by }) => {
    const who = by === null ? "" : ` by ${by}`;
    const text = `${gateway} since ${localTime(since)}${who}; start it: ${start} --gateway ${gateway}`;
    return ["stopped", text];
  });
}

/** mosquitto_sub speaks to brokers over TCP; for others there is no line. */
function subscribeLine({ broker, baseTopic }: NodeReport): string[] {
  const url = new URL(broker.url);
  if (url.protocol !== "mqtt:") return [];
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const local = host === "127.0.0.1" || host === "localhost";
  const at = [
    ...(local ? [] : ["-h", shellWord(host)]),
    ...(local || broker.port !== DEFAULT_PORT ? ["-p", String(broker.port)] : []),
  ];
  // Quoted always: the # begins a comment in some shells.
  return [["mosquitto_sub", ...at, "-t", quoted(`${baseTopic}/#`), "-v"].join(" ")];
}
