/**
 * Drops the account of gateways: claims, outcomes, hours, what waits in the spool. Readings that wait are
 * named by gaps, what was not told of the old epoch is told, and a new one begins a full interval away.
 */
import type { Gap } from "../core/account.ts";
import type { Clock, Store } from "../core/ports.ts";
import { recover } from "../core/recover.ts";
import { below, keys, type Claim, type GatewayRecord, type Spooled } from "../core/records.ts";
import type { Committer } from "./committer.ts";
import { Dropper } from "./dropper.ts";
import { Pruner } from "./pruner.ts";
import { accountWrite, claimWrite, claimsOf, freshClaim, intervalOf } from "./renew.ts";
import { readOpen } from "./restore.ts";
import type { Spool } from "./spool.ts";

/** A seq that no schedule reaches. */
const LAST_SEQ = 1e13;

/** What a reset works with; no engine polls meanwhile. */
export interface ResetWorld {
  readonly node: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly committer: Committer;
  readonly spool: Spool;
}

/** What was dropped. */
export interface ResetCounts {
  /** Schedules whose claim was dropped. */
  claims: number;
  /** Records of outcomes; a run of missed slots is one. */
  outcomes: number;
  /** Readings that waited for the broker, each named by a gap. */
  readings: number;
  /** Messages that the broker had refused. */
  quarantined: number;
}

/** Resets gateways. Rejects with `StoreError`; what is done by then stays done, and the ledger is whole. */
export async function resetGateways(
  world: ResetWorld,
  gateways: readonly string[],
): Promise<ResetCounts> {
  const counts: ResetCounts = { claims: 0, outcomes: 0, readings: 0, quarantined: 0 };
  const pruner = new Pruner(world);
  for (const gateway of gateways) counts.readings += await dropWaiting(world, gateway);
  for (const [id, claim] of await claimsOf(world.store)) {
    const [gateway = ""] = id.split("@");
    if (!gateways.includes(gateway)) continue;
    await renew(world, id, gateway, claim);
    counts.claims++;
    const before = pruner.removed;
    await pruner.outcomes(id, { epoch: claim.epoch, at: LAST_SEQ });
    counts.outcomes += pruner.removed - before;
    await pruner.all(below(keys.hoursOf(id)));
    await world.committer.commit([{ key: keys.total(id) }]);
  }
  const before = pruner.removed;
  for (const gateway of gateways) await pruner.all(below(`${keys.quarantineAll}${gateway}/`));
  counts.quarantined = pruner.removed - before;
  return counts;
}

/** Ends the epoch of a schedule, with what is not told of it, and begins a new one, in one batch. */
async function renew(world: ResetWorld, id: string, gateway: string, claim: Claim): Promise<void> {
  const { store, clock, committer, spool } = world;
  const open = await readOpen(store, id);
  const fresh = freshClaim(id, claim, clock);
  const writes = [claimWrite(id, fresh), accountWrite(id, fresh, open === undefined)];
  const gaps = open === undefined ? [] : await untold(world, id, gateway, open);
  const epoch = claim.epoch;
  const appended = spool.append(
    gateway,
    gaps.map((gap) =>
      gapMessage(gap, { node: world.node, gateway, interval: intervalOf(id), epoch }),
    ),
  );
  await committer.commit([...writes, ...appended.writes]);
  appended.confirm();
}

/** The gaps of an epoch up to now that no message has told. */
async function untold(
  { store, clock }: ResetWorld,
  id: string,
  gateway: string,
  open: NonNullable<Awaited<ReturnType<typeof readOpen>>>,
): Promise<Gap[]> {
  const text = await store.get(keys.gateway(gateway));
  // As written by a node: the store has checked its checksum.
  const kept = text === undefined ? undefined : (JSON.parse(text) as GatewayRecord);
  const interval = intervalOf(id);
  const now = { elapsed: clock.elapsed(), wall: clock.wall(), boot: clock.bootId };
  const place = { interval, phase: open.claim.slot % interval };
  const found = recover({ ...place, ...open, stopped: kept?.desired === "stopped", now });
  const last = (found.ended ?? found.account).tellOpen();
  return [...found.changes, last].flatMap(({ before, after }) => [...before, ...after]);
}

function gapMessage(
  { from, to, slotFrom, slotTo, absence }: Gap,
  whose: { node: string; gateway: string; interval: number; epoch: number },
): Spooled {
  const payload = JSON.stringify({ ...whose, ...{ from, to, slotFrom, slotTo }, ...absence });
  return { topic: `gaps/${whose.gateway}`, retain: false, interval: 0, slot: slotTo, payload };
}

async function dropWaiting(world: ResetWorld, gateway: string): Promise<number> {
  const dropper = new Dropper(world);
  let dropped = 0;
  for (let from = 0; ; ) {
    const page = await world.spool.hold(gateway, from, () => true);
    const last = page?.entries.at(-1);
    if (page === undefined) return dropped;
    const lost = await dropper.page(page, "reset");
    if (last === undefined) return dropped;
    dropped += lost;
    // Gaps are held again with what follows, so that runs become one.
    if (lost === 0) from = last.number + 1;
  }
}
