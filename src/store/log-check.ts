/**
 * Reads LevelDB's logs before LevelDB does: where one is damaged in the middle, LevelDB drops records
 * that were confirmed and says nothing. Format: LevelDB's doc/log_format.md. A log that ends in the
 * middle of a record is no damage: that is what a power cut leaves of a write nobody was told of.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fitsChecksum } from "./crc32c.ts";
import { damage } from "./damage.ts";

const BLOCK = 32_768;
/** Checksum (4 bytes), length (2), type (1). */
const HEADER = 7;
/** Whole, first, middle, last: 1 to 4. */
const LAST_TYPE = 4;

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
  for (let block = 0; block < log.length; block += BLOCK) {
    const end = Math.min(block + BLOCK, log.length);
    for (let at = block; at + HEADER <= end; ) {
      const next = at + HEADER + log.readUInt16LE(at + 4);
      if (isIntact(log, at, next, end)) {
        if (bad !== undefined) return bad;
        at = next;
      } else {
        // LevelDB gives up the rest of the block. Where the next record begins is not known: it is looked for.
        bad ??= at;
        at++;
      }
    }
  }
  return undefined;
}

function isIntact(log: Buffer, at: number, next: number, end: number): boolean {
  const type = log[at + 6] ?? 0;
  if (next > end || type === 0 || type > LAST_TYPE) return false;
  return fitsChecksum(log.subarray(at + 6, next), log.readUInt32LE(at));
}
