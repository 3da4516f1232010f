/** When a gateway last had a good read, as far as the store tells it after a restart. */
import type { Store } from "../core/ports.ts";
import { below, decodeClaim, decodeLedger, keys, numberOf } from "../core/records.ts";

/** Outcomes that are looked through, the newest first; a gateway that fails for longer has it on its record. */
const PAGES = [1, 200];

/** The slot of the newest good poll of a schedule, by the wall clock; null when none is found. */
export async function lastGoodSlot(
  store: Store,
  schedule: string,
  interval: number,
): Promise<number | null> {
  const text = await store.get(keys.claim(schedule));
  if (text === undefined) return null;
  const { epoch, claimed, slot } = decodeClaim(text);
  // What can't be read is for the validation to tell.
  const range = { ...below(keys.outcomes(schedule, epoch)), damaged: () => undefined };
  for (const limit of PAGES) {
    const page = await store.range({ ...range, limit, reverse: true });
    const good = page.find(({ key, value }) => {
      const record = decodeLedger(key, value);
      return record.kind === "poll" && record.outcome === "good";
    });
    if (good !== undefined) return slot - (claimed - numberOf(good.key)) * interval;
  }
  return null;
}
