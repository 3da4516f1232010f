/** `restore`: a backup into a state directory whose node does not run. */
import { shellWord } from "../core/shell.ts";
import { wrong } from "./arguments.ts";
import type { Command } from "./command.ts";
import { YES, confirm } from "./confirm.ts";
import { count } from "./counts.ts";
import { EXIT } from "./exit-codes.ts";
import { localTime } from "./local-time.ts";
import { CONFIG, JSON_FLAG, STATE_DIR, sameNode, whereOf } from "./node-options.ts";

/** The command. */
export const restore: Command = {
  name: "restore",
  argument: "FILE",
  about: "Put a backup into a state directory whose node does not run",
  options: [YES, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, { out, caller }) => {
    const file = given.argument;
    if (file === undefined) throw wrong("A file is missing", `${caller} restore plant.backup`);
    const { checkBackup, holdsState, restoreBackup } = await import("../app/restore.ts");
    const { author } = await import("../app/remote.ts");
    const { locateState } = await import("../app/site.ts");
    const stateDir = locateState(whereOf(given));
    const head = await checkBackup(file);
    const again = `${caller} restore ${shellWord(file)} --yes${sameNode(given)}`;
    const deed = `put the backup of ${head.node} of ${localTime(head.at)} in place of the state in ${stateDir}, which is kept aside`;
    if (holdsState(stateDir) && !(await confirm(given, deed, again))) {
      out.note("nothing was changed");
      return EXIT.usage;
    }
    const restored = await restoreBackup(stateDir, file, head, author());
    if (given.flags.has("json")) {
      out.line(JSON.stringify(restored));
      return 0;
    }
    const { records, epochs, aside, stopped } = restored;
    out.line(`${count(records, "record")} of ${head.node} of ${localTime(head.at)} are restored`);
    out.line(`${count(epochs, "schedule")} begin new epochs, a full interval away`);
    if (stopped.length > 0) out.line(`stopped: ${stopped.join(", ")}`);
    if (aside !== null) out.line(`what was there before lies in ${aside}`);
    return 0;
  },
};
