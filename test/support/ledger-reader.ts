/** Reads the ledger of a node that has ended, with a decoder of its own. */
import { ClassicLevel } from "classic-level";
import type { LedgerAccount, LedgerEntry } from "./history.ts";

/** The accounts of all schedules in a state directory. Throws when a record is damaged. */
export async function readLedger(stateDir: string): Promise<LedgerAccount[]> {
  return ledgerOf(await readRecords(stateDir));
}

/** The accounts of all schedules in records that are in the order of their keys. */
export function ledgerOf(records: Iterable<readonly [string, string]>): LedgerAccount[] {
  const claims = new Map<string, [number, number]>();
  const entries = new Map<string, LedgerEntry[]>();
  for (const [key, text] of records) {
    const [kind, schedule = "", epoch, seq] = key.split("/");
    if (kind === "claim") {
      // A claim is a list that begins with epoch and last claimed seq.
      const [of, claimed] = JSON.parse(text) as [number, number];
      claims.set(schedule, [of, claimed]);
    } else if (kind === "outcome") {
      const account = `${schedule}/${String(Number(epoch))}`;
      const list = entries.get(account) ?? [];
      entries.set(account, list);
      list.push(entryOf(Number(seq), text));
    }
  }
  return [...entries].map(([account, list]) => {
    const [schedule = "", epoch] = account.split("/");
    const claim = claims.get(schedule);
    const last = list.at(-1)?.to ?? 0;
    return {
      gateway: schedule.split("@")[0] ?? "",
      epoch: Number(epoch),
      // An epoch that has ended is accounted to its end.
      claimed: claim?.[0] === Number(epoch) ? claim[1] : last,
      entries: list,
    };
  });
}

/** The messages that wait in the spool, each stream in order; the base topic is `polling`. */
export function waitingIn(
  records: Iterable<readonly [string, string]>,
): { topic: string; payload: string }[] {
  return [...records]
    .filter(([key]) => key.startsWith("spool/"))
    .map(([, text]) => ({
      topic: `polling/${text.slice(0, text.indexOf(" "))}`,
      payload: text.slice(text.indexOf("\n") + 1),
    }));
}

/** All records of a state directory by key, in the order of their keys. */
export async function readRecords(stateDir: string): Promise<[string, string][]> {
  const encodings = { keyEncoding: "utf8", valueEncoding: "buffer" } as const;
  const options = { ...encodings, createIfMissing: false };
  const database = new ClassicLevel<string, Buffer>(`${stateDir}/db`, options);
  await database.open();
  try {
    const found = await database.iterator().all();
    return found.map(([key, value]) => [key, textOf(key, value)]);
  } finally {
    await database.close();
  }
}

function entryOf(seq: number, text: string): LedgerEntry {
  // Polled: outcome and lateness; else outcome, reason and the last seq of the run.
  const [outcome, reason, to] = JSON.parse(text) as [string, string, number];
  const isRun = outcome === "missed" || outcome === "unknown";
  return isRun
    ? { from: seq, to, outcome: `${outcome}:${reason}` }
    : { from: seq, to: seq, outcome };
}

/** A record is a version, the CRC-32 of key, version and text, and the text. */
function textOf(key: string, value: Buffer): string {
  const text = value.subarray(5);
  const sum = crc32(Buffer.concat([Buffer.from(`${key}\0`), value.subarray(0, 1), text]));
  if (value[0] !== 1 || value.readUInt32BE(1) !== sum) throw new Error(`${key} is damaged`);
  return text.toString("utf8");
}

/** CRC-32 as in ISO 3309, bit by bit. */
function crc32(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}
