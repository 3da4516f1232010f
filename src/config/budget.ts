/** What the plan takes of each endpoint against `budget`. */
import {
  endpointLoads,
  schedulesOf,
  sum,
  type EndpointLoad,
  type ScheduleLoad,
  type Scheduled,
} from "../core/endpoint-load.ts";
import { intervalText } from "../core/interval-text.ts";
import type { Site } from "../core/model.ts";
import { ASSUMED_ROUND_TRIP } from "../core/request-cost.ts";
import { mistakeAt } from "./mistakes.ts";
import { nodeAt, type Path } from "./places.ts";
import type { Settings } from "./schema.ts";
import { BAUDS } from "./serial-connection.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** Schedules that are named before the rest is left out. */
const MOST_NAMED = 3;

/** Mistakes for serial lines above `budget.refuse`, warnings for all else above `budget.warn`. */
export function budgetFaults(
  file: YamlFile,
  settings: Settings,
  site: Site,
): { readonly mistakes: readonly Fault[]; readonly warnings: readonly Fault[] } {
  const mistakes: Fault[] = [];
  const warnings: Fault[] = [];
  const { warn, refuse } = site.budget;
  const scheduled = schedulesOf(site);
  for (const endpoint of endpointLoads(scheduled, site.budget)) {
    const { load, connection } = endpoint;
    if (load <= warn) continue;
    const refused = connection.kind === "serial" && refuse !== "never" && load > refuse;
    const limit = refused
      ? `budget.refuse is ${String(refuse)} %`
      : `budget.warn is ${String(warn)} %`;
    const cures = [
      ...slower(endpoint, warn),
      "fewer registers",
      ...faster(endpoint, site, scheduled),
    ];
    const text = `${demandOf(endpoint)}; ${limit}. ${biggestOf(endpoint)}. What helps: ${cures.join(", ")}`;
    const fault = mistakeAt(file, placeOf(file, settings, endpoint), text);
    (refused ? mistakes : warnings).push(fault);
  }
  return { mistakes, warnings };
}

function demandOf({ endpoint, connection, load }: EndpointLoad): string {
  const assumed =
    connection.kind === "serial"
      ? ""
      : ` with ${String(ASSUMED_ROUND_TRIP)} ms assumed for each answer`;
  return `asks for ${load.toFixed(1)} % of the time of ${endpoint}${assumed}`;
}

function byLoad({ schedules }: EndpointLoad): ScheduleLoad[] {
  return [...schedules].sort((a, b) => b.load - a.load);
}

function biggestOf(endpoint: EndpointLoad): string {
  const named = byLoad(endpoint).slice(0, MOST_NAMED);
  const parts = named.map(
    ({ gateway, interval, requests, ms, load }) =>
      `${gateway} every ${intervalText(interval)} ${load.toFixed(1)} % ` +
      `(${String(requests)} ${requests === 1 ? "request" : "requests"}, ${ms.toFixed(0)} ms)`,
  );
  return `Most of it takes ${parts.join(", ")}`;
}

/** The schedule that takes most, as slow as is needed; nothing when that alone is not enough. */
function slower(endpoint: EndpointLoad, warn: number): string[] {
  const [first] = byLoad(endpoint);
  if (first?.shortest == null) return [`longer intervals (for ${String(warn)} %)`];
  const { gateway, shortest } = first;
  return [`${gateway} every ${intervalText(shortest)} in place of ${intervalText(first.interval)}`];
}

/** The lowest rate above the present one that is enough. */
function faster({ connection }: EndpointLoad, site: Site, all: readonly Scheduled[]) {
  if (connection.kind !== "serial") return [];
  const { path, baud } = connection;
  const own = all.filter(({ gateway }) => {
    return gateway.connection.kind === "serial" && gateway.connection.path === path;
  });
  for (const rate of BAUDS.filter((known) => known > baud)) {
    const quicker = own.map((each) => {
      const line = { ...connection, baud: rate };
      return { ...each, gateway: { ...each.gateway, connection: line } };
    });
    const load = sum(endpointLoads(quicker, site.budget).map((other) => other.load));
    if (load <= site.budget.warn) return [`baud=${String(rate)} (${load.toFixed(1)} %)`];
  }
  return [];
}

/** The interval of the gateway that takes most, else its connection. */
function placeOf(file: YamlFile, { gateways }: Settings, endpoint: EndpointLoad): Path {
  const [first] = byLoad(endpoint);
  const index = gateways.findIndex(({ id }) => id === first?.gateway);
  const interval: Path = ["gateways", index, "interval"];
  return nodeAt(file, interval) === undefined ? ["gateways", index, "connection"] : interval;
}
