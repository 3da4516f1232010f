/** `validate`: proves the ledger, of a running node or of a directory. */
import { existsSync } from "node:fs";
import { NoNodeError } from "../core/errors.ts";
import type { Validation } from "../core/validation.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
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
import { dataOf } from "./reply.ts";
import { sinceOf } from "./since.ts";
import { validationLines } from "./validation-text.ts";

const SINCE: Option = {
  name: "since",
  value: "TIME",
  about: "Count slots since 1h, 7d, or a time such as 2026-01-31T14:00; default: all",
};
/** ms a node may take: it reads all it has, and its polls come first. */
const PATIENCE = 600_000;

/** The command. */
export const validate: Command = {
  name: "validate",
  about: "Prove that every slot is accounted for: exit 1 on findings",
  options: [SINCE, GATEWAYS, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, context) => {
    const { locateState } = await import("../app/site.ts");
    const query = await queryOf(given, context);
    const stateDir = locateState(whereOf(given));
    const { validation, live } = await validateAt(stateDir, query);
    const callAgain = { caller: context.caller, sameNode: sameNode(given) };
    if (given.flags.has("json")) context.out.line(JSON.stringify(validation));
    else
      for (const line of validationLines(validation, { paint: context.paint, live, ...callAgain }))
        context.out.line(line);
    return validation.findings.length === 0 ? EXIT.ok : EXIT.degraded;
  },
};

interface Query {
  readonly since: number;
  readonly gateways?: readonly string[];
}

async function queryOf(given: Given, { caller }: Context): Promise<Query> {
  const { createClock } = await import("../app/clock.ts");
  const gateways = gatewaysOf(given, caller);
  const text = valueOf(given, "since");
  const now = createClock().wall();
  const since =
    text === undefined ? 0 : sinceOf(text, now, `${caller} validate --since 7d${sameNode(given)}`);
  return { since, ...(gateways === undefined ? {} : { gateways }) };
}

async function validateAt(
  stateDir: string,
  query: Query,
): Promise<{ validation: Validation; live: boolean }> {
  const { askNode } = await import("../app/remote.ts");
  const { since, gateways } = query;
  const payload = { since, ...(gateways === undefined ? {} : { gateway: gateways }) };
  try {
    const reply = await askNode(stateDir, "validate", payload, PATIENCE);
    // As a node of this version answers.
    return { validation: dataOf(reply) as Validation, live: true };
  } catch (error) {
    // Where there is no directory there is nothing to prove, and looking must not make one.
    if (!(error instanceof NoNodeError) || !existsSync(stateDir)) throw error;
    const { validateOffline } = await import("../app/offline.ts");
    return { validation: await validateOffline(stateDir, query), live: false };
  }
}
