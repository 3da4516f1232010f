/** `audit`: what is left over and who else is at work, of a running node or of a directory. */
import { existsSync } from "node:fs";
import type { Audit } from "../core/audit.ts";
import { NoNodeError } from "../core/errors.ts";
import { auditLines } from "./audit-text.ts";
import type { Command, Given, Option } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { CONFIG, JSON_FLAG, STATE_DIR, sameFile, sameNode, whereOf } from "./node-options.ts";
import { dataOf } from "./reply.ts";

const CLEAN: Option = {
  name: "clean",
  about: "Remove what is safe to remove, and say what; it stands on the audit trail",
};
/** ms a node may take: its polls come first. */
const PATIENCE = 600_000;

/** The command. */
export const audit: Command = {
  name: "audit",
  about: "Find leftovers, other nodes and other masters: exit 1 on findings",
  options: [CLEAN, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, { out, paint, caller }) => {
    const { locateState } = await import("../app/site.ts");
    const found = await auditAt(locateState(whereOf(given)), given);
    if (given.flags.has("json")) out.line(JSON.stringify(found));
    else
      for (const line of auditLines(found, {
        ...{ paint, caller },
        ...{ sameNode: sameNode(given), sameFile: sameFile(given) },
      }))
        out.line(line);
    return found.findings.length === 0 ? EXIT.ok : EXIT.degraded;
  },
};

async function auditAt(stateDir: string, given: Given): Promise<Audit> {
  const { askNode, author } = await import("../app/remote.ts");
  const clean = given.flags.has("clean");
  try {
    // As a node of this version answers.
    const told = dataOf(await askNode(stateDir, "audit", { clean }, PATIENCE)) as Audit;
    const { seenAgain } = await import("../app/audit-again.ts");
    return await seenAgain(stateDir, told);
  } catch (error) {
    // Where there is no directory there is nothing to look at, and looking must not make one.
    if (!(error instanceof NoNodeError) || !existsSync(stateDir)) throw error;
    const { auditOffline } = await import("../app/audit-offline.ts");
    return auditOffline(whereOf(given), stateDir, clean, author());
  }
}
