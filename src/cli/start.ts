/** `start`: starts gateways of a running node, or runs the node. */
import { resolve } from "node:path";
import type { SiteApart } from "../app/site-apart.ts";
import { NoNodeError } from "../core/errors.ts";
import { wrong } from "./arguments.ts";
import { banner } from "./banner.ts";
import { changedLines } from "./changed.ts";
import type { Command, Context, Given, Option } from "./command.ts";
import {
  CONFIG,
  GATEWAYS,
  JSON_FLAG,
  STATE_DIR,
  gatewaysOf,
  sameNode,
  toStart,
  whereOf,
} from "./node-options.ts";
import { dataOf, type Changed } from "./reply.ts";

const NODE: Option = { name: "node", about: "Run the process, whatever runs already (exit 75)" };

const REPAIR: Option = {
  name: "repair",
  about: "Repair the store if it is damaged, and say what is lost",
};

/** The command. */
export const start: Command = {
  name: "start",
  about: "Start all gateways, or the node when none runs",
  options: [CONFIG, STATE_DIR, GATEWAYS, NODE, REPAIR, JSON_FLAG],
  run: async (given, context) => {
    const gateways = gatewaysOf(given, context.caller);
    const process = given.flags.has("node");
    if (process && gateways !== undefined) {
      const next = `${context.caller} start --node${sameNode(given)}`;
      throw wrong("--node starts the process and takes no --gateway", next);
    }
    const { told } = await import("../app/site-apart.ts");
    const site = siteOf(given);
    if (!process) {
      const { stateDir } = whereOf(given);
      const located = stateDir === undefined ? told((await site()).stateDir) : resolve(stateDir);
      if (await startGateways(located, gateways, given, context)) return 0;
    }
    return runNode(site(), given, context);
  },
};

/** What the configuration says: read when it is first asked for, and once. */
function siteOf(given: Given): () => Promise<SiteApart> {
  let reading: Promise<SiteApart> | undefined;
  return async () => {
    const { readSiteApart } = await import("../app/site-apart.ts");
    return (reading ??= readSiteApart(whereOf(given)));
  };
}

/** Tells the running node; false when none runs and all were meant. */
async function startGateways(
  stateDir: string,
  gateways: readonly string[] | undefined,
  given: Given,
  { out, paint, caller }: Context,
): Promise<boolean> {
  const { askNode } = await import("../app/remote.ts");
  try {
    const reply = await askNode(stateDir, "start", { gateway: gateways ?? "*" });
    // As a node of this version answers.
    const changed = dataOf(reply) as Changed;
    if (given.flags.has("json")) out.line(JSON.stringify(changed));
    else for (const line of changedLines(changed, paint)) out.line(line);
    await sayOtherConfig(stateDir, given, { out, caller });
    return true;
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
    if (gateways === undefined) return false;
    const next = `${caller} start --node${toStart(sameNode(given))}`;
    throw new NoNodeError("NODE_ABSENT", `No node runs on ${stateDir}. Next: ${next}`, error);
  }
}

/** `start` to a node that runs does not make it read a changed file. */
async function sayOtherConfig(
  stateDir: string,
  given: Given,
  { out, caller }: Pick<Context, "out" | "caller">,
): Promise<void> {
  if (given.values.get("config") === undefined) return;
  const { otherConfig } = await import("../app/other-config.ts");
  const path = await otherConfig(stateDir, whereOf(given));
  if (path === undefined) return;
  const next = `${caller} reload${sameNode(given)}`;
  out.note(`the node runs with another configuration than ${path}; to use it: ${next}`);
}

async function runNode(
  reading: Promise<SiteApart>,
  given: Given,
  { out, paint, caller }: Context,
): Promise<number> {
  const { Hangups } = await import("../app/hangups.ts");
  const hangups = new Hangups();
  // One process reads the configuration while the other loads what runs on it.
  const [{ startNode }, { told }, { read }] = await Promise.all([
    import("../app/node.ts"),
    import("../app/site-apart.ts"),
    reading,
  ]);
  const repair = given.flags.has("repair");
  const { report, ended } = await startNode(told(read), whereOf(given), { hangups, repair });
  if (given.flags.has("json")) out.line(JSON.stringify(report));
  else for (const line of banner(report, caller, paint)) out.line(line);
  return ended;
}
