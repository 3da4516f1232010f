/** `events`: the audit trail. */
import { existsSync } from "node:fs";
import { similar } from "../config/similar.ts";
import { Refused } from "../core/command.ts";
import { LockedError, NoNodeError } from "../core/errors.ts";
import type { AuditEvent } from "../core/payloads.ts";
import type { Clock } from "../core/ports.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
import { eventLine } from "./event-line.ts";
import { CONFIG, JSON_FLAG, STATE_DIR, gatewaysOf, sameNode, whereOf } from "./node-options.ts";
import { sinceOf } from "./since.ts";
import { pause, stopSignal } from "./stop-signal.ts";

const SINCE: Option = {
  name: "since",
  value: "TIME",
  about: "1h, 7d, or a time such as 2026-01-31T14:00; default: the last 20",
};
const FOLLOW: Option = {
  name: "follow",
  about: "Go on until interrupted, also over restarts of the node",
};
const GATEWAY: Option = { name: "gateway", value: "ID", about: "Only this gateway" };
const SHOWN = 20;
const MOST = 10_000;
/** Gateways that are named to somebody who named none of them. */
const MOST_NAMED = 20;
/** ms between two looks. */
const LOOK_AGAIN = 1000;
const DAY = 86_400_000;
/** Days that `--since` is proposed with. */
const LOOKS_BACK = [1, 7, 30, 400];

/** Which part of the audit trail. */
export interface Query {
  /** Wall time in ms. */
  readonly since: number;
  readonly gateway?: string;
  readonly limit: number;
}

/** The command. */
export const events: Command = {
  name: "events",
  about: "The audit trail: who did what when",
  options: [SINCE, GATEWAY, FOLLOW, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, context) => {
    const { createClock } = await import("../app/clock.ts");
    const { askNode } = await import("../app/remote.ts");
    const { locateState } = await import("../app/site.ts");
    const clock = createClock();
    const query = queryOf(given, context.caller, clock.wall());
    const stateDir = locateState(whereOf(given));
    const print = printer(given, context);
    const ask = async (wanted: Query): Promise<AuditEvent[]> =>
      // As a node of this version answers.
      (await askNode(stateDir, "events", { ...wanted })) as AuditEvent[];
    const look = (wanted: Query) =>
      ask(wanted).catch((error: unknown) => readOffline(error, stateDir, wanted));
    const follows = given.flags.has("follow");
    await refuseUnknown(stateDir, query, follows ? ask : look);
    if (follows) return follow({ stateDir, ask, print, clock }, query, context);
    // One more than is shown tells whether there are more.
    const found = await look({ ...query, limit: query.limit + 1 });
    found.slice(-query.limit).forEach(print);
    if (found.length > query.limit) {
      const [, oldest] = found;
      const age = clock.wall() - (oldest?.at ?? 0);
      context.out.note(moreText(query, age, `${context.caller} events`, sameNode(given)));
    }
    return 0;
  },
};

/** That not all is shown, and how to see more; `age` is that of the oldest that is, ms. */
export function moreText(
  { gateway, limit }: Query,
  age: number,
  call: string,
  node: string,
): string {
  const text = `these are the last ${String(limit)}, and there are more`;
  if (limit === MOST) return text;
  const days = LOOKS_BACK.find((one) => one * DAY > age) ?? LOOKS_BACK.at(-1);
  const which = gateway === undefined ? "" : ` --gateway ${gateway}`;
  return `${text}: ${call} --since ${String(days)}d${which}${node}`;
}

/** The query of the options; `now` is wall time in ms. Throws `UsageError`. */
export function queryOf(given: Given, caller: string, now: number): Query {
  const [gateway] = gatewaysOf(given, caller) ?? [];
  const since = valueOf(given, "since");
  return {
    ...(since === undefined
      ? { since: 0, limit: SHOWN }
      : {
          since: sinceOf(since, now, `${caller} events --since 1h${sameNode(given)}`),
          limit: MOST,
        }),
    ...(gateway === undefined ? {} : { gateway }),
  };
}

function printer(given: Given, { out, paint }: Context): (event: AuditEvent) => void {
  const json = given.flags.has("json");
  return (event) => {
    out.line(json ? JSON.stringify(event) : eventLine(event, paint));
  };
}

async function readOffline(error: unknown, stateDir: string, query: Query): Promise<AuditEvent[]> {
  // Where there is no directory there is nothing to read, and reading must not make one.
  if (!(error instanceof NoNodeError) || !existsSync(stateDir)) throw error;
  return eventsOf(stateDir, query);
}

/** A gateway that is neither known nor on the trail is a mistake. Throws `Refused`. */
async function refuseUnknown(
  stateDir: string,
  { gateway }: Query,
  look: (query: Query) => Promise<AuditEvent[]>,
): Promise<void> {
  if (gateway === undefined) return;
  if ((await look({ since: 0, limit: 1, gateway })).length > 0) return;
  const known = await gatewaysAt(stateDir);
  if (known.includes(gateway)) return;
  const guess = similar(gateway, known);
  const there = `there ${known.length === 1 ? "is" : "are"} ${known.slice(0, MOST_NAMED).join(", ")}`;
  const hint = guess === undefined ? there : `did you mean ${guess}?`;
  throw new Refused("gateway_unknown", `there is no gateway ${gateway}; ${hint}`);
}

async function gatewaysAt(stateDir: string): Promise<readonly string[]> {
  const { askNode } = await import("../app/remote.ts");
  try {
    // As a node of this version answers: its `node/info`.
    const { gateways } = (await askNode(stateDir, "info", {})) as { gateways: string[] };
    return gateways;
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
    const { gatewayIdsOffline } = await import("../app/offline.ts");
    return gatewayIdsOffline(stateDir);
  }
}

/** What following works with. */
interface Following {
  readonly stateDir: string;
  readonly ask: (query: Query) => Promise<AuditEvent[]>;
  readonly print: (event: AuditEvent) => void;
  readonly clock: Clock;
}

async function follow(
  { stateDir, ask, print, clock }: Following,
  first: Query,
  { out }: Context,
): Promise<number> {
  const stop = stopSignal();
  let query = first;
  let seen = new Set<string>();
  const take = (found: readonly AuditEvent[]): void => {
    for (const event of found) if (!seen.has(JSON.stringify(event))) print(event);
    const last = found.at(-1);
    if (last === undefined) return;
    // Events of one millisecond may come in two looks.
    const latest = found.filter(({ at }) => at === last.at);
    seen = new Set(latest.map((event) => JSON.stringify(event)));
    query = { ...first, since: last.at, limit: MOST };
  };
  take(await ask(query));
  let runs = true;
  while (!stop.aborted && !out.closed) {
    await pause(clock, LOOK_AGAIN, stop);
    const asked = await ask(query).catch(unlessGone);
    if (asked !== undefined) take(asked);
    if (asked === undefined && runs) {
      // A node that ends lets go of its directory when it has written its last event.
      const rest = await eventsOf(stateDir, query).catch(unlessLocked);
      if (rest === undefined) continue;
      take(rest);
      out.note("the node has ended; its next start is waited for");
    }
    runs = asked !== undefined;
  }
  return 0;
}

async function eventsOf(stateDir: string, query: Query): Promise<AuditEvent[]> {
  const { eventsOffline } = await import("../app/offline.ts");
  return eventsOffline(stateDir, query);
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof NoNodeError)) throw error;
}

function unlessLocked(error: unknown): undefined {
  if (!(error instanceof LockedError)) throw error;
}
