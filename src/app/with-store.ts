/** Opens the store of a state directory without a node. Holds the same locks as one. */
import { existsSync } from "node:fs";
import { StateDirectoryError } from "../core/errors.ts";
import type { Store } from "../core/ports.ts";
import { openLevelStore } from "../store/level-store.ts";
import { createClock } from "../system/clock.ts";
import { pid } from "../system/facts.ts";
import { ensureStateDir } from "../system/paths.ts";
import { lockState } from "./state-lock.ts";

/** Opens it for as long as the work takes. Throws `LockedError`, `StateDirectoryError`, `PermissionError`, `StoreError`. */
export async function withStore<T>(
  { stateDir, node, create }: { stateDir: string; node: string; create: boolean },
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const clock = createClock();
  if (!existsSync(stateDir)) {
    const text = `There is no state directory ${stateDir}. Name another with --state-dir.`;
    throw new StateDirectoryError("STATE_DIRECTORY", text);
  }
  const real = ensureStateDir(stateDir);
  const lock = await lockState(real, { pid, node, stateDir: real, control: "" }, clock);
  try {
    const store = await openLevelStore(real, { create, clock });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } finally {
    await lock.release();
  }
}
