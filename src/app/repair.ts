/** Repairs a store in processes of their own: LevelDB may end the one that reads a damaged table. */
import { join } from "node:path";
import { EdgepollError, StoreError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { RepairedRecord } from "../core/records.ts";
import { damagedTables } from "../store/table-check.ts";
import { runApart } from "../system/apart.ts";
import type { Told } from "./site-apart.ts";

/** What the process that repairs is told. */
export interface RepairOrder {
  readonly stateDir: string;
  /** Names of tables that are left out. */
  readonly without: readonly string[];
}

/** Whether an error says that the store is damaged, which a repair can mend. */
export function isDamage(error: unknown): boolean {
  return error instanceof EdgepollError && error.code === "STORE_DAMAGED";
}

/**
 * Repairs the store of a state directory whose lock is held, and logs what is lost. Damaged
 * tables are left out as a whole when LevelDB gives up at them. Throws `EdgepollError`.
 */
export async function repairStore(stateDir: string, log: Log): Promise<void> {
  const without = damagedTables(join(stateDir, "db"));
  const repaired =
    (await attempt({ stateDir, without: [] })) ?? (await attempt({ stateDir, without }));
  if (repaired === undefined) {
    throw new StoreError(
      "STORE_DAMAGED",
      `LevelDB gives up at the files of ${stateDir}, also without ${without.join(", ") || "any table"}. ` +
        "Put the state directory back from a backup, or move it away to begin anew.",
    );
  }
  log.warn(repaired, "the store was damaged and has been repaired");
}

/** Undefined when the process ended without an answer, or what it made is still damaged. */
async function attempt(order: RepairOrder): Promise<RepairedRecord | undefined> {
  const here = import.meta.url;
  const module = new URL(here.replace(/repair(\.\w+)$/, "repair-process$1"));
  let answer: Told<RepairedRecord>;
  try {
    // As repair-process.ts answers.
    answer = (await runApart(module, order)) as Told<RepairedRecord>;
  } catch (error) {
    if (/no answer/.test(messageOf(error))) return undefined;
    throw error;
  }
  if ("value" in answer) return answer.value;
  if (answer.error.code === "STORE_DAMAGED") return undefined;
  throw new EdgepollError(answer.error.code, answer.error.message);
}
