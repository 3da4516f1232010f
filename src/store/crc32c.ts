/** CRC-32C as LevelDB keeps it. */

/** Added to checksums on disk, which are rotated by 15 bits. */
const MASK = 0xa282ead8;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let sum = n;
  for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  return sum;
});

/** Whether bytes have the checksum that LevelDB wrote of them. */
export function fitsChecksum(bytes: Uint8Array, onDisk: number): boolean {
  const stored = (onDisk - MASK) >>> 0;
  return ((stored >>> 17) | (stored << 15)) >>> 0 === crc32c(bytes);
}

/** RFC 3720, B.4. */
function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}
