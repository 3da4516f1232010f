/**
 * Brings the records of an older edgepoll to the form of this one, one version after the other. How a step
 * is added stands in docs/architecture.md.
 */
import type { Store } from "../core/ports.ts";
import { keys, type MigratedRecord } from "../core/records.ts";
import { toFormat2 } from "./to-format-2.ts";

/**
 * Leads from one version to the next, in synced batches. A kill may leave any part of it done: it is run
 * again, and what is in the new form already it leaves as it is.
 */
export type Step = (store: Store) => Promise<void>;

/** The first leads from version 1 to 2. */
export const STEPS: readonly Step[] = [toFormat2];

/** Version of what stands in a state directory: its files, and the keys and texts of its records. */
export const FORMAT = 1 + STEPS.length;

/** Takes the steps from a version on; `reached` is told of each that is done, and keeps it. */
export async function migrate(
  store: Store,
  from: number,
  reached: (format: number) => Promise<void>,
  steps: readonly Step[] = STEPS,
): Promise<void> {
  const before = await store.get(keys.migrated);
  // As written below: the store has checked its checksum.
  const first = before === undefined ? from : (JSON.parse(before) as MigratedRecord).from;
  for (const [i, step] of steps.entries()) {
    const to = i + 2;
    if (to <= from) continue;
    await step(store);
    const record: MigratedRecord = { from: first, to };
    await store.write([{ key: keys.migrated, value: JSON.stringify(record) }], true);
    await reached(to);
  }
}
