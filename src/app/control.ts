/** What a node answers at its control socket. */
import { schedulesOf } from "../core/account-change.ts";
import { withRefusals } from "../core/refusals.ts";
import type { DirectFailure } from "../engine/direct-answer.ts";
import type { DirectRead, Direction } from "../engine/direct-requests.ts";
import type { DirectWrite } from "../engine/direct-write.ts";
import type { Engine } from "../engine/engine.ts";
import { backedUp, backupAnswer } from "./backup-lines.ts";
import { spooledAnswer } from "./spool-lines.ts";
import { deviceIn, plainDevice } from "./device.ts";
import { refuseDenied } from "./line-denial.ts";

/** Events one request can get. */
const MOST_EVENTS = 10_000;

/** The handler of the control socket; `end` begins the end of the process. */
export function handleControl(engine: Engine, end: (why: string) => void) {
  return async (verb: string, args: Record<string, unknown>): Promise<unknown> => {
    const payload = recordOf(args["payload"]);
    const by = typeof args["by"] === "string" ? args["by"].slice(0, 100) : "cli";
    if (verb === "end") {
      end(by);
      return {};
    }
    if (verb === "device") return toldDevice(engine, String(payload["device"]));
    if (verb === "accounts") return schedulesOf(engine.site);
    if (verb === "info") return engine.info();
    if (verb === "spool") return engine.spooled();
    if (verb === "spooled") return spooledAnswer(engine, payload["quarantine"] === true);
    if (verb === "backup") return backupAnswer(engine, engine.site);
    // As `backupNode` of this version tells it: who asked for the lines knows whether they became a file.
    if (verb === "backed-up") return engine.note(backedUp(Number(payload["records"]), by));
    if (verb === "events") return engine.audit(queryOf(payload));
    if (verb === "read") {
      // As `read` of this version sends it; the process at the other end is the same user's.
      const read = payload as unknown as DirectRead;
      const answer = await engine.read(read);
      if (!answer.ok) await refuseIfDenied(read, answer);
      return answer;
    }
    if (verb === "write") {
      // The same of `write`.
      const write = payload as unknown as DirectWrite & Direction;
      const written = await engine.write(write, by);
      if (written.failure !== undefined) await refuseIfDenied(write, written.failure);
      return written;
    }
    return engine.ask(verb, JSON.stringify(payload), by);
  };
}

/** With what polls have found out: who reads it need not find out again. */
function toldDevice(engine: Pick<Engine, "site" | "refused">, name: string): unknown {
  const told = deviceIn(engine.site, name);
  if (told.gateway === undefined) return told;
  const { id } = told.gateway;
  const gateway = withRefusals(told.gateway, (device) => engine.refused(id, device));
  return plainDevice({ ...told, gateway });
}

/** A line is known by its path. Throws `PermissionError` when it is the node that may not open it. */
async function refuseIfDenied(
  { line, endpoint }: Direction,
  { reason }: DirectFailure,
): Promise<void> {
  if (line === undefined || endpoint === undefined || reason !== "connect_failed") return;
  await refuseDenied(endpoint);
}

function queryOf(payload: Record<string, unknown>): {
  since: number;
  gateway?: string;
  limit: number;
} {
  // Any object can be looked at by key.
  const { since, gateway, limit } = payload as {
    since?: unknown;
    gateway?: unknown;
    limit?: unknown;
  };
  return {
    since: typeof since === "number" ? since : 0,
    limit: typeof limit === "number" ? Math.min(limit, MOST_EVENTS) : MOST_EVENTS,
    ...(typeof gateway === "string" ? { gateway } : {}),
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  // Any object can be looked at by key.
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
