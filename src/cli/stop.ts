/** `stop`: stops polling for good, or ends the node. */
import { LockedError, NoNodeError, UnavailableError } from "../core/errors.ts";
import { wrong } from "./arguments.ts";
import { changedLines } from "./changed.ts";
import type { Command, Context, Given, Option } from "./command.ts";
import {
  CONFIG,
  GATEWAYS,
  JSON_FLAG,
  STATE_DIR,
  gatewaysOf,
  sameNode,
  whereOf,
} from "./node-options.ts";
import { dataOf, type Changed } from "./reply.ts";
import { pause } from "./stop-signal.ts";

/** ms a node gets to end. */
const PATIENCE = 20_000;
const LOOK_AGAIN = 100;
const NODE: Option = { name: "node", about: "End the process" };

/** The command. */
export const stop: Command = {
  name: "stop",
  about: "Stop polling, durably; also without a node",
  options: [CONFIG, STATE_DIR, GATEWAYS, NODE, JSON_FLAG],
  run: async (given, context) => {
    const gateways = gatewaysOf(given, context.caller);
    if (!given.flags.has("node")) return stopGateways(gateways ?? "*", given, context);
    if (gateways === undefined) return endNode(given, context);
    const next = `${context.caller} stop --node${sameNode(given)}`;
    throw wrong("--node ends the process and takes no --gateway", next);
  },
};

async function stopGateways(
  gateways: readonly string[] | "*",
  given: Given,
  { out, paint }: Context,
): Promise<number> {
  const { askNode, author } = await import("../app/remote.ts");
  const { locateState } = await import("../app/site.ts");
  const where = whereOf(given);
  const stateDir = locateState(where);
  let online = true;
  let data: unknown;
  try {
    data = dataOf(await askNode(stateDir, "stop", { gateway: gateways }));
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
    const { commandOffline } = await import("../app/offline.ts");
    data = await commandOffline(where, "stop", gateways, author());
    online = false;
  }
  // As a node of this version answers, and offline alike.
  const changed = data as Changed;
  if (given.flags.has("json")) out.line(JSON.stringify(changed));
  else for (const line of changedLines(changed, paint)) out.line(line);
  if (!online) out.note(`no node runs; written into ${stateDir} for the next one`);
  return 0;
}

async function endNode(given: Given, { out, caller }: Context): Promise<number> {
  const { askNode } = await import("../app/remote.ts");
  const { locateState } = await import("../app/site.ts");
  const stateDir = locateState(whereOf(given));
  await askNode(stateDir, "end", {});
  if (!(await isGone(stateDir))) {
    const text = `The node on ${stateDir} was told to end and still runs after ${String(PATIENCE / 1000)} s`;
    const next = `${caller} status${sameNode(given)}`;
    throw new UnavailableError("NODE_UNRESPONSIVE", `${text}. Next: ${next}`);
  }
  out.line(given.flags.has("json") ? "{}" : `the node on ${stateDir} has ended`);
  return 0;
}

/** Whether the node lets go of its state directory in time: the last thing it does. */
async function isGone(stateDir: string): Promise<boolean> {
  const { createClock } = await import("../app/clock.ts");
  const { eventsOffline } = await import("../app/offline.ts");
  const clock = createClock();
  const until = clock.elapsed() + PATIENCE;
  for (;;) {
    try {
      await eventsOffline(stateDir, { since: 0, limit: 1 });
      return true;
    } catch (error) {
      // Whatever else is wrong with the directory, nobody holds it any more.
      if (!(error instanceof LockedError)) return true;
    }
    if (clock.elapsed() > until) return false;
    await pause(clock, LOOK_AGAIN);
  }
}
