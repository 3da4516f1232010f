/** Says on the audit trail what was done to the store before this start: it was repaired, or migrated. */
import { count } from "../core/count.ts";
import type { Store } from "../core/ports.ts";
import { keys, type MigratedRecord, type RepairedRecord } from "../core/records.ts";
import type { Committer } from "./committer.ts";
import type { Integrity } from "./integrity.ts";
import type { Journal } from "./journal.ts";

/** What a repair left to be said; undefined when there was none. */
export async function repairOf(store: Store): Promise<RepairedRecord | undefined> {
  const text = await store.get(keys.repaired);
  // As written by the repair: the store has checked its checksum.
  return text === undefined ? undefined : (JSON.parse(text) as RepairedRecord);
}

/** Says it, once on the audit trail, and as a finding until the node ends: new epochs have begun, and the next start goes on with them. */
export async function noteRepair(
  repaired: RepairedRecord | undefined,
  journal: Journal,
  committer: Committer,
  integrity: Integrity,
): Promise<void> {
  if (repaired === undefined) return;
  const text = lossOf(repaired);
  await journal.note({ kind: "store-repaired", text, data: { ...repaired } });
  integrity.stand({ kind: "repaired", text, next: "edgepoll events --since 1h" });
  committer.later([{ key: keys.repaired }]);
}

/** Says, once, that the store was brought to the form of this edgepoll. */
export async function noteMigration(
  store: Store,
  journal: Journal,
  committer: Committer,
): Promise<void> {
  const kept = await store.get(keys.migrated);
  if (kept === undefined) return;
  // As written by the migration: the store has checked its checksum.
  const { from, to } = JSON.parse(kept) as MigratedRecord;
  const text =
    `the state directory was brought from format ${String(from)} to format ${String(to)}; ` +
    "edgepoll of before refuses it from now on";
  await journal.note({ kind: "store-migrated", text, data: { from, to } });
  committer.later([{ key: keys.migrated }]);
}

function lossOf({ aside, records, keys: named, slots, messages }: RepairedRecord): string {
  const which =
    named.length === 0 ? "" : ` (${named.join(", ")}${records > named.length ? ", …" : ""})`;
  return (
    `the store was damaged and has been repaired: ${count(records, "record")} had a wrong checksum${which}, ` +
    `${count(slots, "slot")} without an outcome, ${count(messages, "message")} that waited lost; ` +
    `what was confirmed last may be lost too, so every schedule begins a new epoch; the damaged files are in ${aside}`
  );
}
