/**
 * When the claim of a slot was on the disk, and when its first byte was at the slave: from the record of
 * the shim and the log of LevelDB, read by its description (doc/log_format.md) and without its code.
 */
import { readFileSync } from "node:fs";
import type { Synced } from "./shim.ts";

const BLOCK = 32_768;
const HEADER = 7;

/** A claim of slots up to a seq, and where it ends in the log. */
interface WrittenClaim {
  readonly schedule: string;
  readonly epoch: number;
  readonly claimed: number;
  readonly end: number;
}

/** When each claim was on the disk. */
export class SyncedClaims {
  readonly #claims: readonly WrittenClaim[];
  readonly #syncs: readonly Synced[];

  /** Of the log that was synced last in a record. */
  constructor(record: readonly Synced[]) {
    const path = record.findLast((one) => one.deed === "sync" && one.path.endsWith(".log"))?.path;
    if (path === undefined) throw new Error("no log was synced");
    this.#syncs = record.filter((one) => one.deed === "sync" && one.path === path);
    this.#claims = claimsIn(readFileSync(path));
  }

  /** CLOCK_MONOTONIC in ms; undefined when the log does not hold it, infinite when it was never synced. */
  syncedAt(schedule: string, epoch: number, seq: number): number | undefined {
    const claim = this.#claims.find(
      (one) => one.schedule === schedule && one.epoch === epoch && one.claimed >= seq,
    );
    if (claim === undefined) return undefined;
    return this.#syncs.find(({ length }) => length >= claim.end)?.at ?? Infinity;
  }
}

function claimsIn(log: Buffer): WrittenClaim[] {
  return batchesIn(log).flatMap(({ text, end }) => {
    // Key, length of the value, version and checksum of edgepoll's frame, and a list that begins with epoch and seq.
    const found = text.matchAll(/claim\/([a-z0-9-]+@\d+)[^]{6,7}\[(\d+),(\d+),/g);
    return [...found].map(([, schedule = "", epoch, claimed]) => {
      return { schedule, epoch: Number(epoch), claimed: Number(claimed), end };
    });
  });
}

/** The batches of a log, and the offset at which each ends. */
function batchesIn(log: Buffer): { text: string; end: number }[] {
  const batches: { text: string; end: number }[] = [];
  let text = "";
  for (let at = 0; at + HEADER <= log.length; ) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) {
      at += left;
      continue;
    }
    const length = log.readUInt16LE(at + 4);
    const type = log.readUInt8(at + 6);
    // 1: a whole batch; 2, 3, 4: its first, a middle and its last part.
    if (type < 1 || type > 4) break;
    if (type <= 2) text = "";
    const end = at + HEADER + length;
    text += log.toString("latin1", at + HEADER, end);
    if (type === 1 || type === 4) batches.push({ text, end });
    at = end;
  }
  return batches;
}
