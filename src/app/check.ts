/** Looks a configuration over; touches no device and no broker. */
import { intervalsOf, type Site } from "../core/model.ts";
import { planSchedule } from "../core/plan.ts";
import { readSite } from "./site.ts";
export { planSite } from "../core/site-plan.ts";

/** A configuration without mistakes. */
export interface Checked {
  readonly path: string;
  readonly site: Site;
  readonly warnings: readonly string[];
  /** Requests of one poll of every schedule. */
  readonly requests: number;
}

/** Checks a configuration file, or the one that would be found. Throws `ConfigError` with every mistake. */
export function checkConfig(file?: string): Checked {
  const { path, site, warnings } = readSite(file === undefined ? {} : { config: file });
  return { path, site, warnings, requests: requestsOf(site) };
}

/** Requests of one poll of every schedule of a site. */
export function requestsOf(site: Site): number {
  return site.gateways.reduce((sum, gateway) => sum + requestsOfGateway(gateway), 0);
}

/** Requests of one poll of every schedule of a gateway. */
export function requestsOfGateway(gateway: Site["gateways"][number]): number {
  const plans = intervalsOf(gateway).map((interval) => planSchedule(gateway, interval));
  return plans
    .flatMap((plan) => plan.devices)
    .reduce((sum, { requests }) => sum + requests.length, 0);
}
