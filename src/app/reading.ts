/** Reads a state directory without a node, also one that may not be written. */
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import type { Store } from "../core/ports.ts";
import { viewOf } from "../store/view.ts";
import { createClock } from "../system/clock.ts";
import { pid } from "../system/facts.ts";
import { lockState } from "./state-lock.ts";
import { withStore } from "./with-store.ts";

/** Opens the store for as long as the work takes, which is to read only. Throws as `withStore`. */
export async function withReading<T>(
  stateDir: string,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const open = (directory: string) =>
    withStore({ stateDir: directory, node: "offline", create: false }, work);
  if (!isReadOnly(stateDir)) return open(stateDir);
  const real = realpathSync(stateDir);
  const holder = { pid, node: "offline", stateDir: real, control: "" };
  const lock = await lockState(real, holder, createClock());
  try {
    const view = viewOf(real);
    try {
      return await open(view.directory);
    } finally {
      view.remove();
    }
  } finally {
    await lock.release();
  }
}

function isReadOnly(directory: string): boolean {
  if (!existsSync(directory)) return false;
  return may(directory, constants.R_OK | constants.X_OK) && !may(directory, constants.W_OK);
}

function may(directory: string, mode: number): boolean {
  try {
    accessSync(directory, mode);
    return true;
  } catch {
    return false;
  }
}
