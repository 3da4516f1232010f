/** Resets gateways of a state directory whose node does not run. */
import { targetsOf } from "../core/command.ts";
import { resetGateways, type ResetCounts } from "../engine/reset.ts";
import { knownGateways, nodeOf, openParts } from "./offline.ts";
import { withStore } from "./with-store.ts";

/** What a reset came to. */
export interface ResetState extends ResetCounts {
  readonly gateways: readonly string[];
}

/** Drops the account of these gateways, or of all. Throws `LockedError`, `Refused`, `StoreError`. */
export async function resetOffline(
  stateDir: string,
  wanted: readonly string[] | "*",
  by: string,
): Promise<ResetState> {
  return withStore({ stateDir, node: "offline", create: false }, async (store) => {
    const gateways = targetsOf(wanted, await knownGateways(store), []);
    const node = await nodeOf(store);
    const parts = await openParts(store, node);
    const only = gateways.length === 1 ? gateways[0] : undefined;
    const one = only === undefined ? {} : { gateway: only };
    const kind = "gateway-reset";
    const names = gateways.join(", ");
    const begins = `${by} resets ${names}`;
    await parts.journal.note({ kind, ...one, by, text: begins, data: { gateways } });
    const counts = await resetGateways({ node, store, ...parts }, gateways);
    const text = `${names} reset by ${by}: ${countsText(counts)} dropped; new epochs begin`;
    await parts.journal.note({ kind, ...one, by, text, data: { gateways, ...counts } });
    return { gateways, ...counts };
  });
}

/** What was dropped, in words. */
export function countsText({ claims, outcomes, readings, quarantined }: ResetCounts): string {
  return `${String(claims)} claims, ${String(outcomes)} outcomes, ${String(readings)} waiting readings, ${String(quarantined)} in quarantine`;
}
