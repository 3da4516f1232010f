/**
 * Begins new epochs, a full interval away: after a reset, and for what was restored from a backup, whose
 * later slots may have been polled already.
 */
import { Account } from "../core/account.ts";
import { layGrid, nextEpoch } from "../core/grid.ts";
import type { Clock, Store, Write } from "../core/ports.ts";
import { recover } from "../core/recover.ts";
import {
  below,
  decodeClaim,
  encodeClaim,
  encodeRun,
  keys,
  type AccountRecord,
  type Claim,
} from "../core/records.ts";
import { readOpen } from "./restore.ts";

/** The claims there are, by schedule. */
export async function claimsOf(store: Store): Promise<Map<string, Claim>> {
  const entries = await store.range(below(keys.claims));
  return new Map(
    entries.map(({ key, value }) => [key.slice(keys.claims.length), decodeClaim(value)]),
  );
}

/**
 * The writes that end the epoch of every schedule in a restored store and begin a new one. What was claimed
 * and has no outcome becomes unknown; no gap tells it, for the life that went on after the backup may have
 * told otherwise. `others` are claims that are known from elsewhere: a new epoch is later than these too.
 */
export async function renewRestored(
  store: Store,
  clock: Clock,
  others: ReadonlyMap<string, Claim>,
): Promise<Write[]> {
  const now = { elapsed: clock.elapsed(), wall: clock.wall(), boot: clock.bootId };
  const writes: Write[] = [];
  for (const [id, before] of await claimsOf(store)) {
    const open = await readOpen(store, id);
    const latest = Math.max(before.epoch, others.get(id)?.epoch ?? 0);
    // Closed: the next epoch begins when it comes back into the configuration, and is later all the same.
    if (open === undefined) continue;
    const interval = intervalOf(id);
    const phase = open.claim.slot % interval;
    const found = { interval, phase, ...open, stopped: false, restored: true, now } as const;
    for (const run of recover(found).changes.flatMap(({ runs }) => runs)) {
      writes.push({ key: keys.outcome(id, before.epoch, run.from), value: encodeRun(run) });
    }
    writes.push(claimWrite(id, freshClaim(id, { ...open.claim, epoch: latest }, clock)));
  }
  return writes;
}

/** The claim of an epoch that has begun and of which no slot is claimed yet: the first is a full interval away. */
export function freshClaim(id: string, before: Claim, clock: Clock): Claim {
  const interval = intervalOf(id);
  const place = { interval, phase: before.slot % interval, seq: 1 };
  const { slot, due } = layGrid(place, clock.elapsed() + interval, clock.wall() - clock.elapsed());
  const epoch = nextEpoch(before.epoch, clock.wall());
  const reached = { claimed: 0, settled: 0, slot: slot - interval, due: due - interval };
  return { epoch, ...reached, boot: clock.bootId };
}

/** Its record. */
export function claimWrite(id: string, claim: Claim): Write {
  return { key: keys.claim(id), value: encodeClaim(claim) };
}

/** The record of the account that begins with it. */
export function accountWrite(id: string, { epoch }: Claim, closed: boolean): Write {
  const record: AccountRecord = { ...new Account(epoch).keep(), closed };
  return { key: keys.account(id), value: JSON.stringify(record) };
}

/** ms, of a schedule's id. */
export function intervalOf(id: string): number {
  return Number(id.split("@")[1]);
}
