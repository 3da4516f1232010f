/** The process that repairs a store; see `repair.ts`. Runs when imported. */
import { EdgepollError } from "../core/errors.ts";
import type { Store } from "../core/ports.ts";
import { keys, type RepairedRecord } from "../core/records.ts";
import { validateStore } from "../engine/validate.ts";
import { openLevelStore } from "../store/level-store.ts";
import { repairDatabase } from "../store/repair.ts";
import { answerApart, callerLives } from "../system/apart.ts";
import { createClock } from "../system/clock.ts";
import type { RepairOrder } from "./repair.ts";
import type { Told } from "./site-apart.ts";

/** Keys of dropped records that are told one by one. */
const MOST_KEYS = 20;

await answerApart(async (argument): Promise<Told<RepairedRecord>> => {
  try {
    // As `repairStore` sends it.
    return { value: await repair(argument as RepairOrder) };
  } catch (error) {
    if (!(error instanceof EdgepollError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
});

async function repair({ stateDir, without }: RepairOrder): Promise<RepairedRecord> {
  const clock = createClock();
  const at = Math.round(clock.wall());
  const write = (record: RepairedRecord) => ({ key: keys.repaired, value: JSON.stringify(record) });
  const none = { records: 0, keys: [], slots: 0, messages: 0 };
  // Written with the repair: a node must begin new epochs, even when the loss is never counted.
  const also = (aside: string) => [write({ at, aside, ...none })];
  // Whose caller was killed holds the state directory no longer.
  const { aside, dropped } = await repairDatabase(stateDir, without, also, callerLives);
  const store = await openLevelStore(stateDir, { create: false, clock });
  try {
    const lost = { records: dropped.length, keys: dropped.slice(0, MOST_KEYS) };
    const record = { at, aside, ...lost, ...(await countLost(store)) };
    await store.write([write(record)], true);
    return record;
  } finally {
    await store.close();
  }
}

/** What the numbers of the ledger and of the spool say is missing. */
async function countLost(store: Store): Promise<Pick<RepairedRecord, "slots" | "messages">> {
  const world = { store, pause: () => Promise.resolve() };
  const { schedules, findings } = (await validateStore(world, { since: 0 })).validation;
  const missing = findings.filter(({ kind }) => kind === "spool");
  return {
    slots: schedules.reduce((sum, { lost }) => sum + lost, 0),
    messages: missing.reduce((sum, { from = 0, to = -1 }) => sum + to - from + 1, 0),
  };
}
