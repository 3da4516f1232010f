/** What a node says when it has started. */
import { countRequests } from "../core/plan.ts";
import { intervalsOf, type Site } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { StartReport } from "../engine/opening.ts";
import { nodeVersion, pid, version } from "../system/facts.ts";
import type { NodeReport } from "./api.ts";
import type { Endpoints } from "./endpoints.ts";
import type { ReadSite } from "./site.ts";

/** What a report is drawn from. */
export interface Started {
  readonly read: ReadSite;
  readonly stateDir: string;
  readonly found: StartReport;
  readonly endpoints: Endpoints;
  /** Wall time of the last clean stop. */
  readonly lastStop: number | null;
  readonly clock: Clock;
}

/** Draws the report of a node that has started. */
export function reportOf({
  read,
  stateDir,
  found,
  endpoints,
  lastStop,
  clock,
}: Started): NodeReport {
  const { site, path, warnings } = read;
  const { firstDue } = found;
  return {
    ...found,
    ...{ version: version(), nodeVersion, pid, node: site.node, config: path, stateDir },
    baseTopic: site.baseTopic,
    gateways: gatewaysOf(site, endpoints),
    broker: brokerOf(site),
    ...{ lastStop, warnings, withoutEffect: site.withoutEffect },
    firstSlotIn: firstDue === null ? null : Math.max(0, firstDue - clock.elapsed()),
  };
}

function gatewaysOf(site: Site, endpoints: Endpoints): NodeReport["gateways"] {
  return site.gateways.map((gateway) => {
    const { id, connection, devices } = gateway;
    const simulated = connection.kind === "simulator";
    return {
      id,
      connection: simulated
        ? `${connection.url} at tcp://${endpoints.of(gateway).key}`
        : connection.url,
      intervals: intervalsOf(gateway),
      devices: devices.length,
      points: devices.reduce((sum, { points }) => sum + points.length, 0),
      requests: countRequests(gateway),
    };
  });
}

function brokerOf({ broker }: Site): NodeReport["broker"] {
  if (broker.kind === "embedded") {
    const { host, port } = broker;
    return { embedded: true, url: `mqtt://${host}:${String(port)}`, port };
  }
  const url = new URL(broker.url);
  return { embedded: false, url: `${url.protocol}//${url.host}`, port: Number(url.port) || 1883 };
}
