/**
 * Reads LevelDB's logs before LevelDB does: where one is damaged in the middle, LevelDB drops records
 * that were confirmed and says nothing. Format: LevelDB's doc/log_format.md.
 *
 * What a power cut leaves of a write nobody was told of is no damage. Every write is synced, one at a time,
 * so that is the last record: its end may be missing, and as a disk writes in any order, so may a part in its
 * middle, with zeros in its place.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { damage } from "./damage.ts";
import { BLOCK, HEADER, isPart, LAST, MIDDLE, WHOLE } from "./log-records.ts";

/** What a disk writes at once. */
const SECTOR = 512;

/** Throws `StoreError` STORE_DAMAGED when a log of the database is damaged before its end, or none is there. */
export function refuseDamagedLogs(path: string): void {
  const names = readdirSync(path).filter((name) => name.endsWith(".log"));
  if (names.length === 0) {
    throw damage(
      `${path} lost its log, which there always is: what was confirmed last is lost with it.`,
    );
  }
  for (const name of names) {
    const at = damageOf(readFileSync(join(path, name)));
    if (at === undefined) continue;
    throw damage(
      `${join(path, name)} is damaged at byte ${String(at)}, and intact records lie behind: what was ` +
        "confirmed there is lost, most likely because the disk is failing.",
    );
  }
}

/** Where a log is damaged though intact records lie behind; undefined when it is not. */
export function damageOf(log: Buffer): number | undefined {
  let bad: number | undefined;
  /** Whether what is left of the record with the damage has ended. */
  let ended = false;
  for (let block = 0; block < log.length; block += BLOCK) {
    const end = Math.min(block + BLOCK, log.length);
    for (let at = block; at + HEADER <= end; ) {
      const next = at + HEADER + log.readUInt16LE(at + 4);
      if (isPart(log, at, next, end)) {
        const type = log[at + 6] ?? 0;
        if (bad !== undefined && (ended || type < MIDDLE || !hasHole(log, bad, at))) return bad;
        ended = type === LAST;
        at = next;
      } else {
        // LevelDB gives up the rest of the block. Where the next record begins is not known: it is looked for.
        if (bad === undefined) ended = endsRecord(log[at + 6] ?? 0);
        bad ??= at;
        at++;
      }
    }
  }
  return undefined;
}

function endsRecord(type: number): boolean {
  return type === WHOLE || type === LAST;
}

/** Whether zeros reach to the end of a sector, as where it was never written. */
function hasHole(log: Buffer, from: number, to: number): boolean {
  for (let end = from - (from % SECTOR) + SECTOR; end <= to; end += SECTOR) {
    if (log.subarray(Math.max(from, end - SECTOR), end).every((byte) => byte === 0)) return true;
  }
  return false;
}
