/** The lock of an endpoint, and what is known of a line that was used before. */
import { isLine } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { HolderInfo } from "../system/holder.ts";
import { leaveMark, takeMark } from "../system/silence-mark.ts";
import type { Reachable } from "./links.ts";
import { lockPatiently } from "./state-lock.ts";

/** An endpoint that nobody else uses. */
export interface EndpointLock {
  /** Whether no answer to somebody before us can be on its way; always so where answers carry ids. */
  readonly isSilent: boolean;
  /** Gives it back, for those who come next as one that is silent or may not be. */
  release(isSilent: boolean): Promise<void>;
}

/** Takes an endpoint by its key. Throws `LockedError` when somebody holds it. */
export async function lockEndpoint(
  { key, connection }: { readonly key: string; readonly connection: Reachable },
  holder: HolderInfo,
  clock: Clock,
): Promise<EndpointLock> {
  const lock = await lockPatiently(`endpoint:${key}`, holder, clock);
  if (!isLine(connection)) return { isSilent: true, release: () => lock.release() };
  const device = connection.kind === "serial" ? connection.path : undefined;
  const isSilent = await takeMark(key, device);
  return {
    isSilent,
    release: async (isSilentNow) => {
      if (isSilentNow) await leaveMark(key);
      await lock.release();
    },
  };
}
