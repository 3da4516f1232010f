/** `reload`: has the running node read its configuration again. */
import { NoNodeError } from "../core/errors.ts";
import { scheduleName } from "../core/model.ts";
import type { Reloaded } from "../core/site-change.ts";
import { columns } from "./columns.ts";
import type { Command } from "./command.ts";
import { CONFIG, JSON_FLAG, STATE_DIR, sameNode, toStart, whereOf } from "./node-options.ts";
import { dataOf } from "./reply.ts";

/** ms; polls that run end first. */
const PATIENCE = 60_000;

/** The command. */
export const reload: Command = {
  name: "reload",
  about: "Have the node read its configuration again",
  options: [CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, { out, caller }) => {
    const { askNode } = await import("../app/remote.ts");
    const { locateState } = await import("../app/site.ts");
    const stateDir = locateState(whereOf(given));
    try {
      // As a node of this version answers.
      const reloaded = dataOf(await askNode(stateDir, "reload", {}, PATIENCE)) as Reloaded;
      if (given.flags.has("json")) out.line(JSON.stringify(reloaded));
      else for (const line of reloadedLines(reloaded)) out.line(line);
      return 0;
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      const next = `${caller} start --node${toStart(sameNode(given))}`;
      throw new NoNodeError("NODE_ABSENT", `No node runs on ${stateDir}. Next: ${next}`, error);
    }
  },
};

/** A line for each thing that has changed. */
export function reloadedLines(reloaded: Reloaded): string[] {
  const { added, removed, changed, opened, closed, restart } = reloaded;
  const rows = [
    ["added", added],
    ["removed", removed],
    ["changed", changed],
    ["accounts opened", opened],
    ["accounts closed", closed],
    ["only after a restart", restart],
  ] as const;
  const told = rows.filter(([, ids]) => ids.length > 0);
  if (told.length === 0) return ["nothing has changed"];
  return columns(told.map(([what, ids]) => [what, ids.map(nameOf).join(", ")]));
}

/** Ids of gateways and keys are names as they are. */
function nameOf(id: string): string {
  return id.includes("@") ? scheduleName(id) : id;
}
