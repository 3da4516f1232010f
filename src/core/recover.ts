/** Taking up a schedule after the process was away, from what is on disk. */
import { Account, type Change, type KeptAccount } from "./account.ts";
import { advance, countDue, graceOf, layGrid, nextEpoch, type Grid, type Step } from "./grid.ts";
import type { Absence } from "./outcome.ts";
import type { Claim, LedgerRecord } from "./records.ts";

/** What the disk and the clocks say of a schedule. */
export interface Found {
  readonly interval: number;
  readonly phase: number;
  readonly claim: Claim;
  readonly kept: KeptAccount;
  /** Ledger records from the last one at or before `kept.at` on, by rising seq. */
  readonly records: readonly LedgerRecord[];
  /** Whether the gateway was commanded to stop. */
  readonly stopped: boolean;
  /** The records are those of a backup or of a repair: what came after them is not known, so the epoch has ended. */
  readonly restored?: true;
  readonly now: { readonly elapsed: number; readonly wall: number; readonly boot: string };
}

/** How a schedule goes on. */
export interface Recovered {
  readonly account: Account;
  /** The next slot that is neither accounted nor claimed. */
  readonly next: Grid;
  /** The account that ended, when elapsed time could not be known and a new epoch began. */
  readonly ended?: Account;
  /** What has to be written, of `ended` when there is one, else of `account`. */
  readonly changes: readonly Change[];
  /** Slots that were claimed and have no outcome. */
  readonly unknown: number;
  /** Slots that passed since. */
  readonly missed: number;
  /** The step of the wall clock that moved the slots since, if any. */
  readonly step?: Step;
}

/**
 * Goes on with a schedule: claims without outcome become unknown, the slots since then one run of missed
 * ones, and the next slot keeps its phase. When elapsed time can't be known (after a reboot, with the
 * clock behind the last record), or the records can't be relied on, a new epoch begins, its first slot
 * a full interval away.
 */
export function recover(found: Found): Recovered {
  const { claim, interval, now } = found;
  const account = new Account(found.kept);
  const changes: Change[] = [];
  const unknown = replay(found, account, changes);
  const place = placeOf(found);
  const offset = now.wall - now.elapsed;
  if (place === undefined) {
    changes.push(account.tellOpen());
    const fresh = { interval, phase: found.phase, seq: 1 };
    return {
      account: new Account(nextEpoch(claim.epoch, now.wall)),
      next: layGrid(fresh, now.elapsed + interval, offset),
      ended: account,
      changes,
      unknown,
      missed: 0,
    };
  }
  const { grid: first, step } = advance(place, 1, offset);
  const missed = countDue(first, now.elapsed - graceOf(interval), offset);
  const next = advance(first, missed, offset).grid;
  if (missed > 0) {
    const last = advance(first, missed - 1, offset).grid;
    const absence: Absence = { outcome: "missed", reason: found.stopped ? "stopped" : "down" };
    const range = { from: first.seq, to: last.seq, slotFrom: first.slot, slotTo: last.slot };
    changes.push(account.absent(range, absence));
  }
  const moved = step === undefined ? {} : { step };
  return { account, next, changes, unknown, missed, ...moved };
}

/** Feeds the ledger's records to the account; what was claimed and has none becomes unknown. */
function replay(found: Found, account: Account, changes: Change[]): number {
  let unknown = 0;
  const fill = (to: number) => {
    const from = account.last + 1;
    if (to < from) return;
    unknown += to - from + 1;
    const slotAt = (seq: number) => found.claim.slot - (found.claim.claimed - seq) * found.interval;
    const range = { from, to, slotFrom: slotAt(from), slotTo: slotAt(to) };
    changes.push(account.absent(range, { outcome: "unknown", reason: "crash" }));
  };
  for (const record of found.records) {
    if (record.kind === "run") {
      fill(record.run.from - 1);
      account.resume(record.run);
    } else if (record.seq > account.last) {
      fill(record.seq - 1);
      account.begin(record.seq);
      changes.push(account.finish(record.outcome, record.late));
    }
  }
  fill(found.claim.claimed);
  return unknown;
}

/** Where the last claimed slot lies on this boot's time line; undefined when that can't be known. */
function placeOf({ interval, phase, claim, now, restored }: Found): Grid | undefined {
  if (restored === true) return undefined;
  const grid = { interval, phase, seq: claim.claimed, slot: claim.slot };
  if (claim.boot === now.boot) return { ...grid, due: claim.due };
  if (now.wall < claim.slot) return undefined;
  return { ...grid, due: now.elapsed - (now.wall - claim.slot) };
}
