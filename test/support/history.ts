/**
 * Checks what happened to a node from the outside: the slave's log, the subscriber's log and the
 * ledger must tell one story. A point `serial<N>` holds the serial number of the request with function
 * code N that brought it; a gateway has one device and one interval, and the wall clock makes no steps.
 */
import { followMessages, keyOf, type Told } from "./history-told.ts";
import { followRequests, type Served } from "./history-wire.ts";

/** What the three witnesses saw. */
export interface History {
  /** ms, by gateway. */
  readonly intervals: ReadonlyMap<string, number>;
  readonly kills: number;
  readonly requests: readonly WireRequest[];
  readonly messages: readonly { readonly topic: string; readonly payload: string }[];
  /** Of each schedule: its claim, and its outcomes by rising seq. */
  readonly ledger: readonly LedgerAccount[];
}

/** A request as the slave saw it; `at` is wall time in ms. */
export interface WireRequest {
  readonly gateway: string;
  readonly fc: number;
  readonly serial: number;
  readonly at: number;
}

/** One epoch of a gateway in the ledger. */
export interface LedgerAccount {
  readonly gateway: string;
  readonly epoch: number;
  /** Last claimed seq. */
  readonly claimed: number;
  readonly entries: readonly LedgerEntry[];
}

/** Consecutive slots with one outcome; polled ones stand alone. */
export interface LedgerEntry {
  readonly from: number;
  readonly to: number;
  readonly outcome: string;
}

/** What a check came to. */
export interface Verdict {
  /** Each begins with the invariant it breaks. */
  readonly violations: readonly string[];
  readonly counts: {
    slots: number;
    readings: number;
    requests: number;
    /** Slots with more requests than planned. */
    twice: number;
    /** Readings in the ledger that were not delivered. */
    lost: number;
    unknown: number;
    missed: number;
    /** Deliveries after the first. */
    duplicates: number;
  };
}

const POLLED = ["good", "partial", "failed"];

/** Checks a history; the empty list of violations means that the promises were held. */
export function checkHistory(history: History): Verdict {
  const told = followMessages(history);
  const served = followRequests(history, told);
  const ledger = checkLedger(history, told, served);
  return {
    violations: [...told.violations, ...served.violations, ...ledger.violations],
    counts: {
      ...ledger.counts,
      readings: told.readings,
      requests: history.requests.length,
      twice: served.twice,
      duplicates: told.duplicates,
    },
  };
}

type LedgerCounts = Pick<Verdict["counts"], "slots" | "unknown" | "missed" | "lost">;

function checkLedger(
  history: History,
  told: Told,
  served: Served,
): { violations: string[]; counts: LedgerCounts } {
  const violations: string[] = [];
  const counts = { slots: 0, unknown: 0, missed: 0, lost: 0 };
  for (const { gateway, epoch, claimed, entries } of history.ledger) {
    let last = 0;
    for (const { from, to, outcome } of entries) {
      const where = `${gateway} epoch ${String(epoch)} seq ${String(from)} to ${String(to)}`;
      if (from !== last + 1) violations.push(`I3 the ledger goes from ${String(last)} to ${where}`);
      last = Math.max(last, to);
      counts.slots += to - from + 1;
      if (outcome.startsWith("unknown")) counts.unknown += to - from + 1;
      if (outcome.startsWith("missed")) counts.missed += to - from + 1;
      for (let seq = from; seq <= to; seq += 1) {
        const delivered = told.outcomeOf(gateway, epoch, seq);
        const polled = POLLED.includes(outcome);
        if (delivered === undefined && polled) {
          counts.lost += 1;
          violations.push(`I5 ${where} is ${outcome} and its reading was not delivered`);
        } else if (delivered === undefined && seq < told.lastOf(gateway, epoch)) {
          violations.push(`I3 ${where} is ${outcome} and no gap tells seq ${String(seq)}`);
        } else if (delivered !== undefined && delivered !== outcome) {
          violations.push(`I3 ${where} is ${outcome} and was delivered as ${delivered}`);
        }
        if (served.has(gateway, epoch, seq) && outcome.startsWith("missed")) {
          violations.push(`I1 ${where} is ${outcome}, and seq ${String(seq)} was sent`);
        }
      }
    }
    if (last !== claimed) {
      const place = `${gateway} epoch ${String(epoch)}`;
      violations.push(`I3 ${place} is claimed to ${String(claimed)}, accounted to ${String(last)}`);
    }
    const sent = served.lastOf(gateway, epoch);
    if (sent > claimed) violations.push(`I1 ${gateway} sent seq ${String(sent)} without a claim`);
  }
  for (const { gateway, epoch, from } of told.messages) {
    const known = history.ledger.find((each) => each.gateway === gateway && each.epoch === epoch);
    if (from <= (known?.claimed ?? 0)) continue;
    violations.push(`I3 ${keyOf(gateway, epoch, from)} was delivered and is not in the ledger`);
  }
  const most = history.kills * new Set(history.ledger.map(({ gateway }) => gateway)).size;
  if (counts.unknown > most) {
    violations.push(
      `I8 ${String(counts.unknown)} slots are unknown, at most ${String(most)} may be`,
    );
  }
  return { violations, counts };
}
