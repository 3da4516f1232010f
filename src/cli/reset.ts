/** `reset`: drops the account of gateways and begins it anew. */
import { wrong } from "./arguments.ts";
import type { Command, Option } from "./command.ts";
import { YES, confirm } from "./confirm.ts";
import { EXIT } from "./exit-codes.ts";
import {
  CONFIG,
  GATEWAYS,
  JSON_FLAG,
  STATE_DIR,
  gatewaysOf,
  sameNode,
  whereOf,
} from "./node-options.ts";

const ALL: Option = { name: "all", about: "All gateways" };

/** The command. */
export const reset: Command = {
  name: "reset",
  about: "Drop claims, outcomes and waiting readings; the node must not run",
  options: [GATEWAYS, ALL, YES, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, { out, caller }) => {
    const gateways = gatewaysOf(given, caller);
    const all = given.flags.has("all");
    if (all === (gateways !== undefined)) {
      throw wrong("reset takes --gateway ID or --all", `${caller} status${sameNode(given)}`);
    }
    const which = gateways === undefined ? "--all" : `--gateway ${gateways.join(",")}`;
    const who = gateways === undefined ? "all gateways" : gateways.join(", ");
    const deed = `drop the claims, outcomes and waiting readings of ${who}`;
    const again = `${caller} reset ${which} --yes${sameNode(given)}`;
    const { locateState } = await import("../app/site.ts");
    const stateDir = locateState(whereOf(given));
    if (!(await confirm(given, deed, again))) {
      out.note("nothing was changed");
      return EXIT.usage;
    }
    const { countsText, resetOffline } = await import("../app/reset.ts");
    const { author } = await import("../app/remote.ts");
    const done = await resetOffline(stateDir, gateways ?? "*", author());
    if (given.flags.has("json")) out.line(JSON.stringify(done));
    else out.line(`${done.gateways.join(", ")} reset: ${countsText(done)} dropped`);
    return EXIT.ok;
  },
};
