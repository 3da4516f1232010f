/** Talks to the node that runs on a state directory. */
import { existsSync, realpathSync } from "node:fs";
import { userInfo } from "node:os";
import { askControl, readControl } from "../control/client.ts";
import { NoNodeError, PermissionError } from "../core/errors.ts";
import { askHolder } from "../system/locks.ts";
import { controlSocketPath } from "../system/paths.ts";

/** Who is at the command line, for the audit trail. */
export function author(): string {
  try {
    return `cli (${userInfo().username})`;
  } catch {
    // A user id without a name, as in a container.
    return "cli";
  }
}

/** Asks the node of a state directory, which may take `timeout` ms. Throws `NoNodeError` when none runs, `PermissionError`, `UnavailableError`. */
export async function askNode(
  stateDir: string,
  verb: string,
  payload: Record<string, unknown>,
  timeout?: number,
): Promise<unknown> {
  const args = { payload, by: author() };
  return atNode(stateDir, (path) => askControl(path, verb, args, timeout));
}

/** Asks for an answer of many lines; `take` sets the pace. Throws as `askNode`. */
export async function readNode(
  stateDir: string,
  verb: string,
  payload: Record<string, unknown>,
  take: (line: string) => Promise<void>,
): Promise<unknown> {
  const args = { payload, by: author() };
  return atNode(stateDir, (path) => readControl(path, verb, args, take));
}

async function atNode(stateDir: string, ask: (path: string) => Promise<unknown>): Promise<unknown> {
  const real = existsSync(stateDir) ? realpathSync(stateDir) : undefined;
  if (real === undefined) throw absent(stateDir);
  const holder = await askHolder(`state:${real}`);
  const path = holder?.control ?? controlSocketPath(real);
  if (path === "") throw absent(stateDir);
  try {
    return await ask(path);
  } catch (error) {
    // A node would hold the lock, which everybody can see: what is closed is the directory of nobody's node.
    if (error instanceof PermissionError && holder === undefined) throw absent(stateDir);
    throw error;
  }
}

function absent(stateDir: string): NoNodeError {
  return new NoNodeError("NODE_ABSENT", `No node runs on ${stateDir}. edgepoll start starts one.`);
}
