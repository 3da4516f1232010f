/**
 * Checks what happened to a node from the outside: the slave's log, the subscriber's log and the
 * ledger must tell one story. A point `serial<N>` holds the serial number of the request with function
 * code N that brought it; a gateway has one device and one interval, and the wall clock makes no steps.
 */
import { checkEnds } from "./history-ends.ts";
import { followMessages, keyOf, type Told } from "./history-told.ts";
import { windowOf } from "./history-window.ts";
import { followRequests } from "./history-wire.ts";

/** What the witnesses saw. */
export interface History {
  /** ms, by gateway. */
  readonly intervals: ReadonlyMap<string, number>;
  readonly kills: number;
  readonly requests: readonly WireRequest[];
  readonly messages: readonly SeenMessage[];
  /** Of each schedule: its claim, and its outcomes by rising seq. */
  readonly ledger: readonly LedgerAccount[];
  /** Faults that ended: every gateway is to be polled and heard of again soon after. Wall times, ms. */
  readonly healed?: readonly number[];
  /** The process before a fault and after it. */
  readonly sizes?: readonly { readonly before: ProcessSize; readonly after: ProcessSize }[];
  /** What the processes wrote to their log, one text for each life. */
  readonly outputs?: readonly string[];
}

/** A message as it came to the subscriber. */
export interface SeenMessage {
  readonly topic: string;
  readonly payload: string;
  /** Wall time of its arrival, ms; without one it still waits in the spool. */
  readonly at?: number;
}

/** What a process holds. */
export interface ProcessSize {
  /** Resident memory, bytes. */
  readonly rss: number;
  readonly descriptors: number;
}

/** A promise that was broken. */
export interface Violation {
  /** Begins with the invariant. */
  readonly text: string;
  readonly gateway: string;
  readonly epoch: number;
  /** The slots it is about. */
  readonly from: number;
  readonly to: number;
}

/** A request as the slave saw it. */
export interface WireRequest {
  readonly gateway: string;
  readonly fc: number;
  /** What it reads; absent: all of its table. */
  readonly address?: number;
  readonly count?: number;
  readonly serial: number;
  /** Wall time, ms. */
  readonly at: number;
  /** ms by which the slave may have been late to see it; default 0. */
  readonly lag?: number;
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
  /** What all witnesses say of the slots of the smallest violation and of those beside them; undefined without any. */
  readonly window: string | undefined;
  readonly counts: {
    slots: number;
    readings: number;
    requests: number;
    /** Polls for which there is no slot that they may be of. */
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
  const ledger = checkLedger(history, told);
  const violations = [
    ...[...told.violations, ...served.violations, ...ledger.violations],
    ...checkEnds(history, told),
  ];
  return {
    violations: violations.map(({ text }) => text),
    window: windowOf(history, served, violations),
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
): { violations: Violation[]; counts: LedgerCounts } {
  const violations: Violation[] = [];
  const counts = { slots: 0, unknown: 0, missed: 0, lost: 0 };
  for (const { gateway, epoch, claimed, entries } of history.ledger) {
    let last = 0;
    const object = (text: string, { from, to }: { from: number; to: number }): void => {
      violations.push({ text, gateway, epoch, from, to });
    };
    for (const entry of entries) {
      const { from, to, outcome } = entry;
      const where = `${gateway} epoch ${String(epoch)} seq ${String(from)} to ${String(to)}`;
      if (from !== last + 1) object(`I3 the ledger goes from ${String(last)} to ${where}`, entry);
      last = Math.max(last, to);
      counts.slots += to - from + 1;
      if (outcome.startsWith("unknown")) counts.unknown += to - from + 1;
      if (outcome.startsWith("missed")) counts.missed += to - from + 1;
      for (let seq = from; seq <= to; seq += 1) {
        const delivered = told.outcomeOf(gateway, epoch, seq);
        const slot = { from: seq, to: seq };
        if (delivered === undefined && POLLED.includes(outcome)) {
          counts.lost += 1;
          object(`I5 ${where} is ${outcome} and its reading was not delivered`, slot);
        } else if (delivered === undefined && seq < told.lastOf(gateway, epoch)) {
          object(`I3 ${where} is ${outcome} and no gap tells seq ${String(seq)}`, slot);
        } else if (delivered !== undefined && delivered !== outcome) {
          object(`I3 ${where} is ${outcome} and was delivered as ${delivered}`, slot);
        }
      }
    }
    if (last !== claimed) {
      const place = `${gateway} epoch ${String(epoch)}`;
      const text = `I3 ${place} is claimed to ${String(claimed)}, accounted to ${String(last)}`;
      object(text, { from: last, to: claimed });
    }
  }
  for (const { gateway, epoch, from, to } of told.messages) {
    const known = history.ledger.find((each) => each.gateway === gateway && each.epoch === epoch);
    if (from <= (known?.claimed ?? 0)) continue;
    const text = `I3 ${keyOf(gateway, epoch, from)} was delivered and is not in the ledger`;
    violations.push({ text, gateway, epoch, from, to });
  }
  const most = history.kills * new Set(history.ledger.map(({ gateway }) => gateway)).size;
  if (counts.unknown > most) {
    const text = `I8 ${String(counts.unknown)} slots are unknown, at most ${String(most)} may be`;
    violations.push({ text, gateway: "", epoch: 0, from: 0, to: Infinity });
  }
  return { violations, counts };
}
