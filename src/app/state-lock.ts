/** The lock of a state directory, and the waiting for a command that holds it for a moment. */
import { LockedError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { HolderInfo } from "../system/holder.ts";
import { askHolder, heldBy, takeLock, type Lock } from "../system/locks.ts";

/** ms to wait for a command that works on the state directory without a node. */
const PATIENCE = 5000;
/** ms to ask a holder that does not say who it is; one that starts on a busy machine needs a while. */
const PATIENCE_TO_ASK = 20_000;
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
  const began = clock.elapsed();
  for (;;) {
    try {
      return await takeLock(name, holder);
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      const other = await askHolder(name);
      const patience = other === undefined ? PATIENCE_TO_ASK : PATIENCE;
      const isNode = other !== undefined && other.control !== "";
      if (isNode || clock.elapsed() - began > patience) throw heldBy(name, other);
      await new Promise<void>((resolve) => clock.timer(RETRY, resolve));
    }
  }
}
