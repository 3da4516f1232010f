/** Reads the records of a file in LevelDB's log format, its doc/log_format.md. */
import { fitsChecksum } from "./crc32c.ts";

/** A log consists of blocks of this size. */
export const BLOCK = 32_768;
/** Checksum (4 bytes), length (2), type (1). */
export const HEADER = 7;
/** The type of a record in one part. */
export const WHOLE = 1;
/** That of a part between the first (2) and the last. */
export const MIDDLE = 3;
/** That of the last part. */
export const LAST = 4;

/** Whether a part of a record lies between two places of a block that ends at `end`. */
export function isPart(log: Buffer, at: number, next: number, end: number): boolean {
  const type = log[at + 6] ?? 0;
  if (next > end || type === 0 || type > LAST) return false;
  return fitsChecksum(log.subarray(at + 6, next), log.readUInt32LE(at));
}

/** The records up to the end, or to the first that is not whole. */
export function* logRecords(log: Buffer): Generator<Buffer> {
  let parts: Buffer[] = [];
  for (let block = 0; block < log.length; block += BLOCK) {
    const end = Math.min(block + BLOCK, log.length);
    for (let at = block; at + HEADER <= end; ) {
      const next = at + HEADER + log.readUInt16LE(at + 4);
      if (!isPart(log, at, next, end)) return;
      const type = log[at + 6];
      parts.push(log.subarray(at + HEADER, next));
      if (type === WHOLE || type === LAST) {
        yield Buffer.concat(parts);
        parts = [];
      }
      at = next;
    }
  }
}
