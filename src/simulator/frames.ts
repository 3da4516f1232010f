/** The simulator's own Modbus/TCP codec; it shares nothing with the client it is read by. */

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
