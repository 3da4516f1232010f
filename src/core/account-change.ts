/** Which accounts another configuration closes, and which it opens. */
import { intervalsOf, scheduleId, scheduleName, type Site } from "./model.ts";

/** Accounts that are named; the others are counted. */
const MOST_NAMED = 20;

/** Ids of schedules, such as `boiler-room@10000`, in the order of their gateways. */
export interface AccountChange {
  /** Those whose account ends: the schedule has left the configuration. */
  readonly closes: readonly string[];
  /** Those that begin an account: they are new, or come back. */
  readonly opens: readonly string[];
}

/** Ids of all schedules of a configuration; gateways that are not enabled have none. */
export function schedulesOf({ gateways }: Pick<Site, "gateways">): string[] {
  return gateways.flatMap((gateway) =>
    intervalsOf(gateway).map((interval) => scheduleId(gateway.id, interval)),
  );
}

/** What a configuration does to accounts that are open: of the store, or `schedulesOf` the one before. */
export function accountChange(
  open: readonly string[],
  site: Pick<Site, "gateways">,
): AccountChange {
  const wanted = schedulesOf(site);
  const [before, after] = [new Set(open), new Set(wanted)];
  return {
    closes: open.filter((id) => !after.has(id)),
    opens: wanted.filter((id) => !before.has(id)),
  };
}

/** Schedules by their names, such as `boiler-room@10s, yard@1m`, not more than are of use. */
export function accountNames(ids: readonly string[]): string {
  const names = ids.slice(0, MOST_NAMED).map(scheduleName).join(", ");
  const rest = ids.length - MOST_NAMED;
  return rest > 0 ? `${names} and ${String(rest)} more` : names;
}

/** Accounts that ended and that began, each part of a sentence of its own; none where there are none. */
export function accountParts(ended: readonly string[], begun: readonly string[]): string[] {
  return [
    ...(ended.length > 0 ? [`accounts closed: ${accountNames(ended)}`] : []),
    ...(begun.length > 0 ? [`accounts opened: ${accountNames(begun)}`] : []),
  ];
}
