/** Which accounts another configuration closes, and which it opens. */
import { intervalsOf, scheduleId, type Site } from "./model.ts";

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
