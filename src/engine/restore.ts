/** Takes up every schedule from the store at start. */
import { Account, type KeptAccount } from "../core/account.ts";
import { layGrid, nextEpoch, phaseOf, type Grid } from "../core/grid.ts";
import { scheduleId, type Gateway } from "../core/model.ts";
import type { Clock, Store } from "../core/ports.ts";
import { recover, type Recovered } from "../core/recover.ts";
import {
  below,
  decodeClaim,
  decodeLedger,
  keys,
  type AccountRecord,
  type Claim,
  type LedgerRecord,
  type TotalRecord,
} from "../core/records.ts";

/** Ledger records read at once. */
const PAGE = 1000;

/** How a schedule goes on, and what is to be said about it. */
export interface Restored extends Recovered {
  /** Whether an account was found. */
  readonly found: boolean;
}

/** What restoring works with. */
export interface RestoreWorld {
  readonly store: Store;
  readonly clock: Clock;
  /** The store was repaired: what it says of the last claims can't be relied on, and every schedule begins a new epoch. */
  readonly anew?: boolean;
}

/** The phase of a schedule. */
export function phaseFor(gateway: Gateway, interval: number): number {
  return (gateway.phase ?? phaseOf(gateway.id, interval)) % interval;
}

/** Goes on with a schedule of the configuration, or begins its account. */
export async function restore(
  world: RestoreWorld,
  gateway: Gateway,
  interval: number,
  stopped: boolean,
): Promise<Restored> {
  const id = scheduleId(gateway.id, interval);
  const phase = phaseFor(gateway, interval);
  const { clock, anew = false } = world;
  const now = { elapsed: clock.elapsed(), wall: clock.wall(), boot: clock.bootId };
  const open = await readOpen(world.store, id, anew ? interval : undefined);
  if (open !== undefined) {
    const found = { interval, phase, ...open, stopped, now };
    return { ...recover(anew ? { ...found, restored: true } : found), found: true };
  }
  const before = await lastEpoch(world.store, id);
  return begin({ interval, phase, seq: 1 }, before, now, anew);
}

/** A schedule that left the configuration, and the phase it had. */
export interface Left {
  readonly gateway: string;
  readonly interval: number;
  readonly phase: number;
}

/** The schedules in the store that are not closed and not among `configured`. */
export async function leftSchedules(
  store: Store,
  configured: ReadonlySet<string>,
): Promise<Left[]> {
  const entries = await store.range(below(keys.claims));
  const left: Left[] = [];
  for (const { key } of entries) {
    const id = key.slice(keys.claims.length);
    const [gateway = "", interval = ""] = id.split("@");
    const { claim, kept } = await readAccount(store, id);
    if (configured.has(id) || claim === undefined || isClosed(claim, kept)) continue;
    const phase = claim.slot % Number(interval);
    left.push({ gateway, interval: Number(interval), phase });
  }
  return left;
}

/** The last epoch of a schedule that was closed, also of one whose account was removed: none is used twice. */
async function lastEpoch(store: Store, id: string): Promise<number | undefined> {
  const claim = await store.get(keys.claim(id));
  if (claim !== undefined) return decodeClaim(claim).epoch;
  const gone = await store.get(keys.gone(id));
  return gone === undefined ? undefined : Number(gone);
}

/** Whether the account was closed, and none was begun after it. */
export function isClosed(claim: Claim, kept: AccountRecord | undefined): boolean {
  return kept?.closed === true && kept.epoch === claim.epoch;
}

/**
 * What the store holds of a schedule, and the ledger records to go on from; undefined when it has left
 * the configuration. With its interval the claim is not relied on (`lastKnown`).
 */
export async function readOpen(
  store: Store,
  id: string,
  doubted?: number,
): Promise<{ claim: Claim; kept: KeptAccount; records: LedgerRecord[] } | undefined> {
  const small = await readAccount(store, id);
  const { kept, total } = small;
  const claim = doubted === undefined ? small.claim : await lastKnown(store, id, doubted, small);
  if (claim === undefined || isClosed(claim, kept)) return undefined;
  // Where the account is gone, what retention has removed is still in the total.
  const account =
    [kept, total].find((one) => one?.epoch === claim.epoch) ?? new Account(claim.epoch).keep();
  return { claim, kept: account, records: await readLedger(store, id, account, claim) };
}

/** What the small records of a schedule say. */
interface Small {
  readonly claim: Claim | undefined;
  readonly kept: AccountRecord | undefined;
  readonly total: TotalRecord | undefined;
}

async function readAccount(store: Store, id: string): Promise<Small> {
  const claim = await store.get(keys.claim(id));
  const kept = await store.get(keys.account(id));
  const total = await store.get(keys.total(id));
  return {
    claim: claim === undefined ? undefined : decodeClaim(claim),
    // As written by the ledger: the store has checked its checksum.
    kept: kept === undefined ? undefined : (JSON.parse(kept) as AccountRecord),
    // As written by retention: the store has checked its checksum.
    total: total === undefined ? undefined : (JSON.parse(total) as TotalRecord),
  };
}

/** How far the slots went as far as any record knows: the claim may be lost, or an older one may have come back. */
async function lastKnown(
  store: Store,
  id: string,
  interval: number,
  { claim, kept, total }: Small,
): Promise<Claim | undefined> {
  const range = { ...below(keys.outcomesOf(id)), limit: 1, reverse: true };
  const [entry] = await store.range(range);
  const last = entry === undefined ? undefined : placeOf(entry.key, entry.value);
  const places = [claim && { epoch: claim.epoch, at: claim.claimed }, kept, total, last];
  const known = places.filter((place) => place !== undefined);
  if (known.length === 0) return undefined;
  const epoch = Math.max(...known.map((place) => place.epoch));
  const at = Math.max(...known.filter((place) => place.epoch === epoch).map((place) => place.at));
  if (claim?.epoch === epoch && claim.claimed >= at) return claim;
  const [from, slot] = claim?.epoch === epoch ? [claim.claimed, claim.slot] : [0, epoch * 1000];
  return { epoch, claimed: at, settled: at, slot: slot + (at - from) * interval, due: 0, boot: "" };
}

/** Epoch and last seq of a ledger record. */
function placeOf(key: string, value: string): { epoch: number; at: number } {
  const record = decodeLedger(key, value);
  const at = record.kind === "run" ? record.run.to : record.seq;
  return { epoch: Number(key.split("/")[2]), at };
}

/** Records from the last one at or before what is kept, on: that one may be a run that goes on. */
async function readLedger(
  store: Store,
  id: string,
  kept: KeptAccount,
  claim: Claim,
): Promise<LedgerRecord[]> {
  const { to } = below(keys.outcomes(id, claim.epoch));
  const start = below(keys.outcomes(id, claim.epoch)).from;
  const after = keys.outcome(id, claim.epoch, kept.at + 1);
  const records = await store.range({ from: start, to: after, limit: 1, reverse: true });
  for (let from = after; ; ) {
    const page = await store.range({ from, to, limit: PAGE });
    records.push(...page);
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) break;
    from = `${last.key}\0`;
  }
  return records.map(({ key, value }) => decodeLedger(key, value));
}

/** A new account: the very first at the next slot of the grid, every other a full interval away. */
function begin(
  place: Pick<Grid, "interval" | "phase" | "seq">,
  before: number | undefined,
  now: { elapsed: number; wall: number },
  anew: boolean,
): Restored {
  const isFirst = before === undefined && !anew;
  const from = now.elapsed + (isFirst ? 0 : place.interval);
  return {
    account: new Account(nextEpoch(before, now.wall)),
    next: layGrid(place, from, now.wall - now.elapsed),
    changes: [],
    unknown: 0,
    missed: 0,
    found: false,
  };
}
