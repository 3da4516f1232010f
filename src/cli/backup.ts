/** `backup`: all of a state directory in one file, also while the node runs. */
import { existsSync } from "node:fs";
import type { BackupHead } from "../app/backup-file.ts";
import { NoNodeError } from "../core/errors.ts";
import { shellWord } from "../core/shell.ts";
import { wrong } from "./arguments.ts";
import type { Command, Given } from "./command.ts";
import { YES, confirm } from "./confirm.ts";
import { count } from "./counts.ts";
import { EXIT } from "./exit-codes.ts";
import { CONFIG, JSON_FLAG, STATE_DIR, sameNode, whereOf } from "./node-options.ts";

/** The command. */
export const backup: Command = {
  name: "backup",
  argument: "FILE",
  about: "Write all of the state into one file, also while the node runs",
  options: [YES, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, { out, caller }) => {
    const file = given.argument;
    if (file === undefined) throw wrong("A file is missing", `${caller} backup plant.backup`);
    const again = `${caller} backup ${shellWord(file)} --yes${sameNode(given)}`;
    const replace = existsSync(file);
    if (replace && !(await confirm(given, `replace ${file}, which is there already`, again))) {
      out.note("nothing was written");
      return EXIT.usage;
    }
    const head = await backupAt(given, file, replace);
    const { node, at, records, counts } = head;
    if (given.flags.has("json")) out.line(JSON.stringify({ file, node, at, records, counts }));
    else out.line(`${count(records, "record")} of ${node} are in ${file}`);
    return 0;
  },
};

async function backupAt(given: Given, file: string, replace: boolean): Promise<BackupHead> {
  const { backupNode, backupOffline } = await import("../app/backup.ts");
  const { author } = await import("../app/remote.ts");
  const { locateState } = await import("../app/site.ts");
  const stateDir = locateState(whereOf(given));
  try {
    return await backupNode(stateDir, file, replace);
  } catch (error) {
    // Where there is no directory there is nothing to back up, and looking must not make one.
    if (!(error instanceof NoNodeError) || !existsSync(stateDir)) throw error;
    return backupOffline(stateDir, file, replace, author());
  }
}
