/** The lock of a state directory, and the waiting for a command that holds it for a moment. */
import { LockedError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { HolderInfo } from "../system/holder.ts";
import { askHolder, takeLock, type Lock } from "../system/locks.ts";

/** ms to wait for a command that works on the state directory without a node. */
const PATIENCE = 5000;
const RETRY = 100;

/**
 * Locks a state directory by its real path. A holder without a control socket is a command that will
 * be done in a moment: it is waited for. Throws `LockedError`.
 */
export function lockState(stateDir: string, holder: HolderInfo, clock: Clock): Promise<Lock> {
  return lockPatiently(`state:${stateDir}`, holder, clock);
}

/** The same for any lock, such as that of an endpoint, which `read` holds for a moment. Throws `LockedError`. */
export async function lockPatiently(name: string, holder: HolderInfo, clock: Clock): Promise<Lock> {
  const until = clock.elapsed() + PATIENCE;
  for (;;) {
    try {
      return await takeLock(name, holder);
    } catch (error) {
      if (!(error instanceof LockedError) || clock.elapsed() > until) throw error;
      const other = await askHolder(name);
      if (other !== undefined && other.control !== "") throw error;
      await new Promise<void>((resolve) => clock.timer(RETRY, resolve));
    }
  }
}
