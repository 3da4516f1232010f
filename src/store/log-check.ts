/**
 * Reads LevelDB's logs before LevelDB does: where one is damaged in the middle, LevelDB drops records
 * that were confirmed and says nothing. Format: LevelDB's doc/log_format.md. A log that ends in the
 * middle of a record is no damage: that is what a power cut leaves of a write nobody was told of.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../core/errors.ts";

const BLOCK = 32_768;
/** Checksum (4 bytes), length (2), type (1). */
const HEADER = 7;
/** Added to checksums on disk, which are rotated by 15 bits. */
const MASK = 0xa282ead8;

const REMEDY =
  "Put the state directory back from a backup, or move it away to begin anew (what waited for the broker is lost with it).";

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let sum = n;
  for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  return sum;
});

/** Throws `StoreError` STORE_DAMAGED when a log of the database is damaged before its end, or none is there. */
export function refuseDamagedLogs(path: string): void {
  const names = readdirSync(path).filter((name) => name.endsWith(".log"));
  if (names.length === 0) {
    throw new StoreError(
      "STORE_DAMAGED",
      `${path} lost its log, which there always is: what was confirmed last is lost with it. ${REMEDY}`,
    );
  }
  for (const name of names) {
    const at = damageOf(readFileSync(join(path, name)));
    if (at === undefined) continue;
    throw new StoreError(
      "STORE_DAMAGED",
      `${join(path, name)} is damaged at byte ${String(at)}, and intact records lie behind: what was ` +
        `confirmed there is lost, most likely because the disk is failing. ${REMEDY}`,
    );
  }
}

/** Where a log is damaged though intact records lie behind; undefined when it is not. */
export function damageOf(log: Buffer): number | undefined {
  let bad: number | undefined;
  for (let block = 0; block < log.length; block += BLOCK) {
    const end = Math.min(block + BLOCK, log.length);
    for (let at = block; at + HEADER <= end; ) {
      const length = log.readUInt16LE(at + 4);
      const next = at + HEADER + length;
      if (isIntact(log, at, next, end)) {
        if (bad !== undefined) return bad;
        at = next;
      } else {
        // As LevelDB does: the rest of the block can't be told apart any more, but for what looks whole.
        bad ??= at;
        if (next > end || length === 0) break;
        at = next;
      }
    }
  }
  return undefined;
}

function isIntact(log: Buffer, at: number, next: number, end: number): boolean {
  if (next > end || log[at + 6] === 0) return false;
  const stored = (log.readUInt32LE(at) - MASK) >>> 0;
  const sum = ((stored >>> 17) | (stored << 15)) >>> 0;
  return sum === crc32c(log.subarray(at + 6, next));
}

/** CRC-32C (RFC 3720, B.4). */
function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}
