/** Decompresses what LevelDB compressed. Format: snappy's format_description.txt. */

/** The bytes of a block; the caller has checked its checksum. Throws when they are no snappy. */
export function unsnap(block: Buffer): Buffer {
  const [length, start] = readVarint(block, 0);
  const out = Buffer.alloc(length);
  let at = start;
  let to = 0;
  while (at < block.length) {
    const tag = block.readUInt8(at);
    const kind = tag & 3;
    const size = tag >> 2;
    if (kind === 0) {
      // 60 to 63: the length stands in the 1 to 4 bytes that follow.
      const extra = Math.max(0, size - 59);
      const count = 1 + (extra === 0 ? size : block.readUIntLE(at + 1, extra));
      at += 1 + extra;
      block.copy(out, to, at, at + count);
      at += count;
      to += count;
      continue;
    }
    const wide = kind === 3 ? 4 : 2;
    const count = kind === 1 ? 4 + (size & 7) : 1 + size;
    const back =
      kind === 1 ? ((tag >> 5) << 8) | block.readUInt8(at + 1) : block.readUIntLE(at + 1, wide);
    at += kind === 1 ? 2 : 1 + wide;
    // Byte by byte: what is copied may overlap with what it becomes.
    for (let n = 0; n < count; n++, to++) out[to] = out.readUInt8(to - back);
  }
  return out;
}

/** A number of 7 bits a byte, lowest first, and where the next thing begins. */
export function readVarint(bytes: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes.readUInt8(at++);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}
