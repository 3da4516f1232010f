/** Talks to the node that runs on a state directory. */
import { existsSync, realpathSync } from "node:fs";
import { userInfo } from "node:os";
import { askControl } from "../control/client.ts";
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
  const real = existsSync(stateDir) ? realpathSync(stateDir) : undefined;
  if (real === undefined) throw absent(stateDir);
  const holder = await askHolder(`state:${real}`);
  const path = holder?.control ?? controlSocketPath(real);
  if (path === "") throw absent(stateDir);
  try {
    return await askControl(path, verb, { payload, by: author() }, timeout);
  } catch (error) {
    // A node would hold the lock, which everybody can see: what is closed is the directory of nobody's node.
    if (error instanceof PermissionError && holder === undefined) throw absent(stateDir);
    throw error;
  }
}

function absent(stateDir: string): NoNodeError {
  return new NoNodeError(
    "NODE_ABSENT",
    `No node runs on ${stateDir}. edgepoll start --config FILE starts one.`,
  );
}
