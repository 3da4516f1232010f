/** The simulator's own Modbus RTU codec (Modbus over Serial Line 2.5.1). */

/** A request as it came in. */
export interface RtuFrame {
  readonly unitId: number;
  /** Function code and data. */
  readonly pdu: Buffer;
}

/** Unit, function and checksum. */
const SHORTEST = 4;
const CHECKSUM = 2;

/** Bytes of a request with data of a fixed length: unit, function, four bytes, checksum. */
const PLAIN = 8;
/** The same with the byte count of the data in the seventh byte. */
const COUNTED_AT = 6;
/** Unit, function, type, access, object, checksum (Modbus Application Protocol 6.21). */
const IDENTIFICATION = 7;

/**
 * Takes the requests out of what came over a line; `rest` waits for more bytes.
 *
 * What is no request, such as noise or the answer of another unit, is passed over byte by byte.
 * After a silence nothing waits: what is there then is all there was.
 */
export function takeRtu(
  bytes: Buffer,
  isSilent: boolean,
): { readonly frames: readonly RtuFrame[]; readonly rest: Buffer } {
  const frames: RtuFrame[] = [];
  let at = 0;
  while (bytes.length - at >= SHORTEST) {
    const left = bytes.subarray(at);
    // A request of a function that is not known lies between two silences.
    const length = requestLength(left) ?? (isSilent && at === 0 ? left.length : Infinity);
    if (length > left.length && !isSilent) break;
    const frame = left.subarray(0, length);
    const isWhole = length <= left.length && isRight(frame);
    if (isWhole) frames.push({ unitId: frame.readUInt8(0), pdu: frame.subarray(1, -CHECKSUM) });
    at += isWhole ? length : 1;
  }
  return { frames, rest: isSilent ? Buffer.alloc(0) : bytes.subarray(at) };
}

/** The bytes of a frame. */
export function rtuBytes({ unitId, pdu }: RtuFrame): Buffer {
  const frame = Buffer.concat([Buffer.of(unitId), pdu, Buffer.alloc(CHECKSUM)]);
  frame.writeUInt16LE(checksum(frame.subarray(0, -CHECKSUM)), frame.length - CHECKSUM);
  return frame;
}

/** Bytes of the request that begins here; undefined for a function that is not known. */
function requestLength(bytes: Buffer): number | undefined {
  const code = bytes.readUInt8(1);
  if (code >= 1 && code <= 6) return PLAIN;
  if (code === 43) return IDENTIFICATION;
  if (code !== 15 && code !== 16) return undefined;
  const count = bytes[COUNTED_AT];
  return count === undefined ? Infinity : COUNTED_AT + 1 + count + CHECKSUM;
}

function isRight(frame: Buffer): boolean {
  const end = frame.length - CHECKSUM;
  return frame.readUInt16LE(end) === checksum(frame.subarray(0, end));
}

/** Modbus over Serial Line 6.2.2, bit by bit. */
function checksum(bytes: Buffer): number {
  let sum = 0xffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xa001 : sum >>> 1;
  }
  return sum;
}
