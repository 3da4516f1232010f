/** The simulator's own Modbus/TCP codec; it shares nothing with the client it is read by. */
import type { Table } from "../core/model.ts";
import type { Image } from "./image.ts";

/** A request as it came in. */
export interface Frame {
  readonly transaction: number;
  readonly unitId: number;
  /** Function code and data, at least one byte. */
  readonly pdu: Buffer;
}

/** Transaction, protocol, length: 2 bytes each (Modbus Messaging on TCP/IP 3.1.3). */
const HEADER = 6;
/** A unit id and a PDU of at most 253 bytes (Modbus Application Protocol 4.1). */
const MAX_LENGTH = 254;

const TABLES: Readonly<Record<number, Table>> = {
  1: "coil",
  2: "discrete",
  3: "holding",
  4: "input",
};

/**
 * Takes the whole frames off the front of a stream; `rest` waits for more bytes.
 * Undefined when the bytes are no Modbus/TCP: there is no way back into step then.
 */
export function takeFrames(stream: Buffer): { frames: Frame[]; rest: Buffer } | undefined {
  const frames: Frame[] = [];
  let rest = stream;
  while (rest.length >= HEADER) {
    const length = rest.readUInt16BE(4);
    if (rest.readUInt16BE(2) !== 0 || length < 2 || length > MAX_LENGTH) return undefined;
    const end = HEADER + length;
    if (rest.length < end) break;
    frames.push({
      transaction: rest.readUInt16BE(0),
      unitId: rest.readUInt8(HEADER),
      pdu: rest.subarray(HEADER + 1, end),
    });
    rest = rest.subarray(end);
  }
  return { frames, rest };
}

/** The bytes of a frame. */
export function frameBytes({ transaction, unitId, pdu }: Frame): Buffer {
  const head = Buffer.alloc(HEADER + 1);
  head.writeUInt16BE(transaction, 0);
  head.writeUInt16BE(pdu.length + 1, 4);
  head.writeUInt8(unitId, HEADER);
  return Buffer.concat([head, pdu]);
}

/** The answer to a PDU: data of functions 1 to 4, else an exception (Modbus Application Protocol 6, 7). */
export function answerTo(pdu: Buffer, image: Image): Buffer {
  const code = pdu.readUInt8(0);
  const table = TABLES[code];
  if (table === undefined) return exceptionOf(code, 1);
  if (pdu.length !== 5) return exceptionOf(code, 3);
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  const bits = table === "coil" || table === "discrete";
  if (count < 1 || count > (bits ? 2000 : 125)) return exceptionOf(code, 3);
  if (address + count > image.size[table]) return exceptionOf(code, 2);
  const entries = Array.from(
    { length: count },
    (_, i) => image.entries[table].get(address + i) ?? 0,
  );
  const data = bits ? bitBytes(entries) : registerBytes(entries);
  return Buffer.concat([Buffer.of(code, data.length), data]);
}

function exceptionOf(code: number, exception: number): Buffer {
  return Buffer.of(code | 0x80, exception);
}

/** Eight a byte, the first in the least significant bit (Modbus Application Protocol 6.1). */
function bitBytes(bits: readonly number[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    const at = i >> 3;
    bytes.writeUInt8(bytes.readUInt8(at) | (bit << (i & 7)), at);
  });
  return bytes;
}

function registerBytes(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * words.length);
  words.forEach((word, i) => bytes.writeUInt16BE(word, 2 * i));
  return bytes;
}
