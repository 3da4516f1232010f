/** What a test reads from a rig: requests, outcomes, readings, gaps, events. */
import { decodeClaim, decodeLedger, type Claim } from "../../src/core/records.ts";
import type { Rig } from "./rig.ts";

/** Reading or gap as told, the fields that tests look at. */
export interface Message {
  readonly device?: string;
  readonly interval: number;
  readonly epoch: number;
  readonly seq?: number;
  readonly slot?: number;
  readonly from?: number;
  readonly to?: number;
  readonly slotFrom?: number;
  readonly ts?: number;
  readonly late?: number | null;
  readonly quality?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly replayed?: boolean;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly errors?: Readonly<Record<string, unknown>>;
}

/** Outcomes on disk by seq of the newest epoch: `good`, `busy`, `crash`, ... */
export function outcomesOf(rig: Rig, schedule: string): Record<number, string> {
  const outcomes: Record<number, string> = {};
  const epoch = String(claimOf(rig, schedule).epoch);
  for (const [key, value] of rig.disk(`outcome/${schedule}/`)) {
    if (!key.split("/")[2]?.endsWith(epoch)) continue;
    const record = decodeLedger(key, value);
    if (record.kind === "poll") outcomes[record.seq] = record.outcome;
    else {
      for (let seq = record.run.from; seq <= record.run.to; seq++) {
        outcomes[seq] = record.run.absence.reason;
      }
    }
  }
  return outcomes;
}

/** The claim of a schedule on disk. */
export function claimOf(rig: Rig, schedule: string): Claim {
  const text = rig.disk("claim/").get(`claim/${schedule}`);
  if (text === undefined) throw new Error(`nothing of ${schedule} is claimed`);
  return decodeClaim(text);
}

/** Messages of a topic below the base topic, as told. */
export function toldOn(rig: Rig, topic: string): Message[] {
  // The topics asked for carry JSON objects.
  return rig.broker.on(`polling/${topic}`).map((text) => JSON.parse(text) as Message);
}

/** Kinds of the events told so far. */
export function eventsOf(rig: Rig): string[] {
  const events = rig.broker.on("polling/node/events");
  // Events are JSON objects with a kind.
  return events.map((text) => (JSON.parse(text) as { kind: string }).kind);
}

/** Times of the requests to an endpoint, ms after the first of them. */
export function timesOf(rig: Rig, endpoint: string): number[] {
  const times = rig.seen.filter((seen) => seen.endpoint === endpoint).map(({ time }) => time);
  return times.map((time) => time - (times[0] ?? 0));
}
