/** `status`: how the node and its gateways fare. */
import { NoNodeError } from "../core/errors.ts";
import type { Command, Context, Given, Option } from "./command.ts";
import { degradedBy, refusedLines } from "./degraded.ts";
import { EXIT } from "./exit-codes.ts";
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
import { printable } from "./printable.ts";
import { dataOf, type Status } from "./reply.ts";
import { detailedLines } from "./status-detailed.ts";
import { summaryLines } from "./status-summary.ts";

const DETAILED: Option = { name: "detailed", about: "Every schedule and device" };
const CHECK: Option = { name: "check", about: "Print only what is wrong; nothing when healthy" };

/** The command. */
export const status: Command = {
  name: "status",
  about: "How it fares: exit 0 healthy, 1 degraded, 3 not running",
  options: [DETAILED, GATEWAYS, CHECK, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, context) => {
    const gateways = gatewaysOf(given, context.caller);
    const { askNode } = await import("../app/remote.ts");
    const { locateState } = await import("../app/site.ts");
    const stateDir = locateState(whereOf(given));
    try {
      const payload = gateways === undefined ? {} : { gateway: gateways };
      // As a node of this version answers.
      const told = dataOf(await askNode(stateDir, "status", payload)) as Status;
      return print(told, given, context);
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      return notRunning(stateDir, given, context);
    }
  },
};

function print(told: Status, given: Given, context: Context): number {
  const reasons = degradedBy(told);
  for (const line of linesOf(told, reasons, given, context)) context.out.line(line);
  return reasons.length === 0 ? EXIT.ok : EXIT.degraded;
}

function linesOf(
  told: Status,
  reasons: readonly string[],
  given: Given,
  { paint, caller }: Context,
): readonly string[] {
  if (given.flags.has("json")) return [JSON.stringify(told)];
  if (given.flags.has("check")) return [...reasons, ...refusedLines(told.node)];
  const tryLine = (command: string, options: string) =>
    `${caller} ${command}${sameNode(given)}${options}`;
  const draw = { paint, tryLine };
  return given.flags.has("detailed") ? detailedLines(told, draw) : summaryLines(told, draw);
}

function notRunning(stateDir: string, given: Given, { out, caller }: Context): number {
  const text = `not running: no node on ${printable(stateDir)}`;
  const next = `${caller} start${toStart(sameNode(given))}`;
  if (given.flags.has("json")) throw new NoNodeError("NODE_ABSENT", `${text}. Next: ${next}`);
  out.line(given.flags.has("check") ? text : `${text}. Next: ${next}`);
  return EXIT.noNode;
}
