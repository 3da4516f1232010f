/** The accounts that a start with a configuration would close and open. */
import type { Accounts } from "../app/check.ts";
import { accountNames } from "../core/account-change.ts";
import { count } from "./counts.ts";
import { printable } from "./printable.ts";

/** The lines; none where nothing changes, or nothing was ever recorded. */
export function accountLines(accounts: Accounts | undefined): string[] {
  if (accounts === undefined) return [];
  if ("unknown" in accounts) return [`accounts   not compared: ${printable(accounts.unknown)}`];
  return [
    ...line("closes  ", accounts.closes, "at the next start; what is on record stays"),
    ...line("opens   ", accounts.opens, "at the next start, as a new epoch from seq 1 on"),
  ];
}

function line(word: string, ids: readonly string[], what: string): string[] {
  if (ids.length === 0) return [];
  return [`${word}   ${count(ids.length, "account")} ${what}: ${accountNames(ids)}`];
}
