/** Looks a configuration over; touches no device and no broker. */
import type { Site } from "../core/model.ts";
import { countRequests } from "../core/plan.ts";
import { OverBudgetError } from "../config/load.ts";
import { readSite, type Where } from "./site.ts";
export { accountsOf, type Accounts } from "./accounts.ts";
export { planSite } from "../core/site-plan.ts";
export { asLearned } from "./learned.ts";

/** A configuration without mistakes. */
export interface Checked {
  readonly path: string;
  readonly site: Site;
  readonly warnings: readonly string[];
  /** Requests of one poll of every schedule. */
  readonly requests: number;
}

/** Checks a configuration file, or the one that would be found. Throws `ConfigError` with every mistake. */
export function checkConfig(where: Where = {}): Checked {
  const { path, site, warnings } = readSite(where);
  return { path, site, warnings, requests: requestsOf(site) };
}

/** What a configuration asks for whose only mistakes are those of `budget.refuse`; undefined for any other error. */
export function overBudget(error: unknown): Site | undefined {
  return error instanceof OverBudgetError ? error.site : undefined;
}

function requestsOf(site: Site): number {
  return site.gateways.reduce((sum, gateway) => sum + countRequests(gateway), 0);
}
