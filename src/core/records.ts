/** What stands in the store: key layout and the text of each record. Ids never hold a `/`. */
import type { KeptAccount, Run } from "./account.ts";
import type { Learned } from "./refusals.ts";
import type { Absence, Counts, PolledOutcome } from "./outcome.ts";

/** Digits of numbers inside keys, so that keys sort as numbers do. */
const DIGITS = 14;

function padded(number: number): string {
  return String(number).padStart(DIGITS, "0");
}

/** All keys below a prefix that ends in `/`. */
export function below(prefix: string): { from: string; to: string } {
  return { from: prefix, to: `${prefix.slice(0, -1)}0` };
}

/** All keys there are. */
export const EVERYTHING = { from: "!", to: "~" };

/** Keys of the store. `schedule` is a schedule's id, `stream` a gateway's id or `$node`. */
export const keys = {
  claim: (schedule: string) => `claim/${schedule}`,
  claims: "claim/",
  account: (schedule: string) => `schedule/${schedule}`,
  accounts: "schedule/",
  total: (schedule: string) => `total/${schedule}`,
  totals: "total/",
  gone: (schedule: string) => `gone/${schedule}`,
  hour: (schedule: string, hour: number) => `hour/${schedule}/${padded(hour)}`,
  hoursOf: (schedule: string) => `hour/${schedule}/`,
  outcome: (schedule: string, epoch: number, seq: number) =>
    `outcome/${schedule}/${padded(epoch)}/${padded(seq)}`,
  outcomesAll: "outcome/",
  outcomesOf: (schedule: string) => `outcome/${schedule}/`,
  outcomes: (schedule: string, epoch: number) => `outcome/${schedule}/${padded(epoch)}/`,
  spool: (stream: string, number: number) => `spool/${stream}/${padded(number)}`,
  spoolStream: (stream: string) => `spool/${stream}/`,
  spoolAll: "spool/",
  quarantine: (stream: string, slot: number, number: number) =>
    `quarantine/${stream}/${padded(slot)}/${padded(number)}`,
  quarantineAll: "quarantine/",
  dropped: (stream: string) => `dropped/${stream}`,
  droppedAll: "dropped/",
  gateway: (gateway: string) => `gateway/${gateway}`,
  gateways: "gateway/",
  audit: (at: number, number: number) => `audit/${padded(at)}/${padded(number)}`,
  audits: "audit/",
  command: (transaction: string) => `command/${encodeURIComponent(transaction)}`,
  commandsAll: "command/",
  retained: "meta/retained",
  age: "meta/age",
  auditAges: "meta/audit",
  node: "meta/node",
  repaired: "meta/repaired",
  migrated: "meta/migrated",
};

/** The number at the end of an outcome, spool or audit key. */
export function numberOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1));
}

/** The stream of a spool key. */
export function streamOf(key: string): string {
  return key.split("/")[1] ?? "";
}

/** How far a schedule's slots are claimed, and where its grid lies. */
export interface Claim {
  readonly epoch: number;
  /** Last claimed seq. */
  readonly claimed: number;
  /** All seqs up to this one have their outcome on disk. */
  readonly settled: number;
  /** Nominal due time of the last claimed seq. */
  readonly slot: number;
  /** Elapsed time at which it is due, and the boot that time belongs to. */
  readonly due: number;
  readonly boot: string;
}

/** Text of a claim; a list, because one is written for every slot. */
export function encodeClaim(claim: Claim): string {
  const { epoch, claimed, settled, slot, due, boot } = claim;
  return JSON.stringify([epoch, claimed, settled, slot, Math.round(due * 1000) / 1000, boot]);
}

/** The claim of its text. */
export function decodeClaim(text: string): Claim {
  // As written by encodeClaim: the store has checked its checksum.
  const fields = JSON.parse(text) as [number, number, number, number, number, string];
  const [epoch, claimed, settled, slot, due, boot] = fields;
  return { epoch, claimed, settled, slot, due, boot };
}

/** What the ledger holds of one or more slots. */
export type LedgerRecord =
  | {
      readonly kind: "poll";
      readonly seq: number;
      readonly outcome: PolledOutcome;
      readonly late: number | null;
      /** Devices that were not asked, because their breakers were open; absent without any. */
      readonly leftOut?: readonly string[];
    }
  | { readonly kind: "run"; readonly run: Run };

/** Text of the outcome of a polled slot; `late` in ms. The devices left out stand in it when there are any. */
export function encodePoll(
  outcome: PolledOutcome,
  late: number | null,
  leftOut: readonly string[] = [],
): string {
  const rounded = late === null ? null : Math.round(late * 10) / 10;
  return JSON.stringify([outcome, rounded, ...(leftOut.length === 0 ? [] : [leftOut])]);
}

/** Text of a run of slots without a reading; its key carries the first seq. */
export function encodeRun(run: Run): string {
  const { outcome, reason } = run.absence;
  return JSON.stringify([
    outcome,
    reason,
    run.to,
    run.slotFrom,
    run.slotTo,
    run.told,
    run.untoldSlot,
  ]);
}

type PollFields = [PolledOutcome, number | null, leftOut?: readonly string[]];
type RunFields = [
  Absence["outcome"],
  Absence["reason"],
  ...[to: number, slotFrom: number, slotTo: number, told: number, untoldSlot: number],
];

function isPoll(fields: PollFields | RunFields): fields is PollFields {
  return fields.length <= 3;
}

/** The ledger record of its key and text. */
export function decodeLedger(key: string, text: string): LedgerRecord {
  // As written by encodePoll or encodeRun: the store has checked its checksum.
  const fields = JSON.parse(text) as PollFields | RunFields;
  const seq = numberOf(key);
  if (isPoll(fields)) {
    const [outcome, late, leftOut] = fields;
    return { kind: "poll", seq, outcome, late, ...(leftOut === undefined ? {} : { leftOut }) };
  }
  const [outcome, reason, to, slotFrom, slotTo, told, untoldSlot] = fields;
  // Outcome and reason were taken from one absence when they were written.
  const absence = { outcome, reason } as Absence;
  return { kind: "run", run: { from: seq, to, slotFrom, slotTo, absence, told, untoldSlot } };
}

/** A schedule's account as kept, and whether the schedule has left the configuration. */
export interface AccountRecord extends KeptAccount {
  readonly closed: boolean;
}

/**
 * What retention has removed of a schedule's outcomes: everything up to seq `at` of `epoch`, and all
 * epochs before. `counts` are of that epoch; `lateness` is of all.
 */
export interface TotalRecord extends KeptAccount {
  /** Counts and number of the epochs before, which are gone as a whole. */
  readonly earlier: Counts;
  readonly epochs: number;
}

/** A schedule's account when an hour of age began: its counts since its epoch, up to seq `at`. */
export interface HourRecord {
  readonly epoch: number;
  readonly at: number;
  /** Wall time, ms. */
  readonly wall: number;
  readonly counts: Counts;
}

/** What is spooled: one message, and what is needed to say that it comes late. */
export interface Spooled {
  /** Topic below the base topic. */
  readonly topic: string;
  readonly retain: boolean;
  /** ms after `slot` from which on the reading counts as replayed; 0: never. */
  readonly interval: number;
  readonly slot: number;
  readonly payload: string;
  /** Age of the ledger when it was spooled, s; absent when not known. */
  readonly age?: number;
}

/** Holds a number of a stream for which there is no message; never published. */
export const NOTHING: Spooled = { topic: "", retain: false, interval: 0, slot: 0, payload: "" };

/** Text of a spooled message: one line of facts, then the payload as it is, which spares escaping. */
export function encodeSpooled(spooled: Spooled): string {
  const { topic, retain, interval, slot, payload, age } = spooled;
  const facts = `${topic} ${retain ? "r" : "-"} ${String(interval)} ${String(slot)}`;
  return age === undefined ? `${facts}\n${payload}` : `${facts} ${String(age)}\n${payload}`;
}

/** The spooled message of its text. */
export function decodeSpooled(text: string): Spooled {
  const end = text.indexOf("\n");
  const [topic = "", retain, interval, slot, age] = text.slice(0, end).split(" ");
  return {
    topic,
    retain: retain === "r",
    interval: Number(interval),
    slot: Number(slot),
    payload: text.slice(end + 1),
    ...(age === undefined ? {} : { age: Number(age) }),
  };
}

/** What is kept of a gateway. */
export interface GatewayRecord {
  readonly desired: "running" | "stopped";
  /** Wall time and author of the last change of `desired`. */
  readonly since: number;
  readonly by: string | null;
  /** Wall time of the last good read; absent when there was none, and in records of before it was kept. */
  readonly lastGood?: number;
  readonly devices: Readonly<Record<string, DeviceRecord>>;
}

/** What is kept of a device's state; all times by the wall clock, which outlives a boot. */
export interface DeviceRecord {
  readonly online: boolean | null;
  readonly failures: number;
  readonly since: number;
  readonly reason: string | null;
  /** When the row of failures began; absent without one. */
  readonly failingSince?: number;
  /** Its last poll got no answer, or none since then had a good read; absent otherwise. */
  readonly silent?: true;
  /** Absent when nothing is known beyond the configuration. */
  readonly learned?: Learned;
  /** Absent while the breaker is closed. */
  readonly breaker?: BreakerRecord;
}

/** What is kept of a breaker that is not closed. */
export interface BreakerRecord {
  readonly state: "open" | "probing";
  readonly openedAt: number;
  readonly openedBy: string | null;
  readonly nextProbe: number | null;
  /** ms. */
  readonly distance: number;
  /** Of the connection and unit id that it opened with (`wayOf`); absent in records of before that was kept. */
  readonly of?: number;
}

/** What is kept of the node itself. */
export interface NodeRecord {
  /** Name of the node, for what is written while it does not run. */
  readonly node?: string;
  /** Six characters at the end of the default client id. */
  readonly suffix: string;
  readonly lastStop: number | null;
}

/** What a repair of the store came to; kept until a node has begun new epochs and said so. */
export interface RepairedRecord {
  /** Wall time, ms. */
  readonly at: number;
  /** Where the damaged files are kept. */
  readonly aside: string;
  /** Records with a wrong checksum that were dropped, and the first of their keys. */
  readonly records: number;
  readonly keys: readonly string[];
  /** Slots that have no outcome any more, and messages of the spool that are gone. */
  readonly slots: number;
  readonly messages: number;
}

/** From and to which version the store was brought; kept until a node has said so. */
export interface MigratedRecord {
  readonly from: number;
  readonly to: number;
}

/** A transaction that was answered. */
export interface AnsweredRecord {
  readonly at: number;
  readonly reply: string;
}
