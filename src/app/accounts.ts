/** What a start with a configuration would do to the accounts of its state directory. */
import { existsSync } from "node:fs";
import { accountChange, type AccountChange } from "../core/account-change.ts";
import { EdgepollError, NoNodeError, PermissionError, messageOf } from "../core/errors.ts";
import { scheduleId, type Site } from "../core/model.ts";
import { leftSchedules } from "../engine/restore.ts";
import { readMarker } from "../store/marker.ts";
import { isOwn } from "../system/paths.ts";
import { withReading } from "./reading.ts";
import { askNode } from "./remote.ts";

/** What is known of the accounts: what changes, or why that can't be said. */
export type Accounts = AccountChange | { readonly unknown: string };

/** Asks the node that runs there, or reads the ledger; undefined where there is none. Never throws because of the directory. */
export async function accountsOf(site: Site): Promise<Accounts | undefined> {
  const { stateDir } = site;
  try {
    const open = existsSync(stateDir) ? await openAccounts(stateDir) : undefined;
    return open === undefined ? undefined : accountChange(open, site);
  } catch (error) {
    if (error instanceof EdgepollError) return { unknown: messageOf(error) };
    throw error;
  }
}

async function openAccounts(stateDir: string): Promise<readonly string[] | undefined> {
  try {
    // As a node of this version answers.
    return (await askNode(stateDir, "accounts", {})) as string[];
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
  if (!isOwn(stateDir)) {
    const text = `${stateDir} belongs to another user; run edgepoll check as that user`;
    throw new PermissionError("PERMISSION", text);
  }
  if (readMarker(stateDir) === undefined) return undefined;
  return withReading(stateDir, async (store) => {
    const open = await leftSchedules(store, new Set());
    return open.map(({ gateway, interval }) => scheduleId(gateway, interval));
  });
}
