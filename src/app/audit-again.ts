/** The machine part of an audit once more, by one who may see more than the node. */
import { realpathSync } from "node:fs";
import { arrangeFindings, type Audit, type AuditKind } from "../core/audit.ts";
import { machineFindings } from "../core/machine.ts";
import { createClock } from "../system/clock.ts";
import { pid } from "../system/facts.ts";
import { askHolder } from "../system/locks.ts";
import { lookAtMachine } from "../system/machine.ts";
import { surroundings } from "../system/surroundings.ts";

const OF_MACHINE: readonly AuditKind[] = [
  "other-master",
  "enabled-twice",
  "poller-unit",
  "poller-cron",
];

/** What a node answered, with what root sees of the machine where the node lacked the rights. */
export async function seenAgain(stateDir: string, told: Audit): Promise<Audit> {
  const lacked = told.unseen.some(({ part }) => part === "machine");
  if (!lacked || !surroundings().root) return told;
  const holder = await askHolder(`state:${realpathSync(stateDir)}`);
  const own = [pid, ...(holder === undefined ? [] : [holder.pid])];
  const { endpoints } = told;
  const look = await lookAtMachine({ endpoints, own, clock: createClock() });
  const rest = told.findings.filter(({ kind }) => !OF_MACHINE.includes(kind));
  const { findings, more } = arrangeFindings([...machineFindings(look), ...rest]);
  const unseen = look.unseen.map((text) => ({ part: "machine" as const, text }));
  const others = told.unseen.filter(({ part }) => part !== "machine");
  return { ...told, findings, more: more + told.more, unseen: [...unseen, ...others] };
}
