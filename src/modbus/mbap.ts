/** Framing of Modbus TCP (Modbus Messaging on TCP/IP 3.1.3), pure: what may pass to the library. */
import { restFaultOf, restLengthOf, wrong, type Expected } from "./expected.ts";

/** Transaction id, protocol id and length; the unit id belongs to the part that `length` counts. */
export const HEADER = 6;
/** Longest part behind the header: unit id and a PDU of 253 bytes. */
export const MAX_BODY = 254;
/** Shortest part behind the header: unit id, function and exception code. */
const MIN_BODY = 3;
const EXCEPTION_FLAG = 0x80;

/** The frame of a request, from unit id and PDU as the library wrote them (its checksum is left off). */
export function frameOf(id: number, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + body.length);
  frame.writeUInt16BE(id, 0);
  frame.writeUInt16BE(0, 2);
  frame.writeUInt16BE(body.length, 4);
  frame.set(body, HEADER);
  return frame;
}

/**
 * Why the first `have` bytes received can't be, or begin, the answer expected, or undefined.
 * Each field is judged as soon as it is there: a wrong length must not make us wait for its body.
 */
export function faultOf(received: Buffer, have: number, expected: Expected): string | undefined {
  if (have < 2) return undefined;
  const id = received.readUInt16BE(0);
  if (id !== expected.id) return wrong("transaction id", id, expected.id);
  if (have < 4) return undefined;
  const protocol = received.readUInt16BE(2);
  if (protocol !== 0) return wrong("protocol id", protocol, 0);
  if (have < HEADER) return undefined;
  const length = received.readUInt16BE(4);
  if (length < MIN_BODY || length > MAX_BODY) {
    return `length ${String(length)} is outside ${String(MIN_BODY)} to ${String(MAX_BODY)}`;
  }
  return bodyFaultOf(received, have, length, expected);
}

function bodyFaultOf(
  received: Buffer,
  have: number,
  length: number,
  expected: Expected,
): string | undefined {
  if (have < 7) return undefined;
  const unitId = received.readUInt8(6);
  if (unitId !== expected.unitId) return wrong("unit id", unitId, expected.unitId);
  if (have < 8) return undefined;
  const code = received.readUInt8(7);
  const isException = code === (expected.code | EXCEPTION_FLAG);
  if (!isException && code !== expected.code) return wrong("function", code, expected.code);
  if (have < 9) return undefined;
  const fault = isException ? undefined : restFaultOf(received, 8, have, expected.rest);
  if (fault !== undefined) return fault;
  // Of a page only the header knows where it ends.
  const fitting = isException ? MIN_BODY : 2 + (restLengthOf(expected.rest) ?? length - 2);
  if (length !== fitting) return wrong("length", length, fitting);
  const extra = have - HEADER - length;
  return extra > 0 ? `${String(extra)} bytes left over behind the answer` : undefined;
}

/** Whether the frame that `received` begins with is all there; asked only of bytes without a fault. */
export function isWhole(received: Buffer, have: number): boolean {
  return have >= HEADER && have >= HEADER + received.readUInt16BE(4);
}

/** Whether what was received is a frame by its protocol id and its length; asked where another framing is spoken. */
export function isFrame(received: Buffer, have: number): boolean {
  if (have < HEADER + MIN_BODY || received.readUInt16BE(2) !== 0) return false;
  return received.readUInt16BE(4) === have - HEADER;
}
