/** Framing of Modbus RTU (Modbus over Serial Line 2.5.1), pure: what may pass to the library. */
import { crc16 } from "./crc16.ts";
import type { Expected } from "./mbap.ts";

/** Bytes of the checksum at the end of a frame. */
export const CRC = 2;
/** Longest frame: unit id, a PDU of 253 bytes and the checksum. */
export const MAX_FRAME = 256;
/** Unit id, function and byte count or exception code. */
const HEAD = 3;
const EXCEPTION_FLAG = 0x80;

/**
 * Why the first `have` bytes received can't be, or begin, the answer expected, or undefined.
 * Each field is judged as soon as it is there: a wrong byte count must not make us wait for its data.
 */
export function faultOf(received: Buffer, have: number, expected: Expected): string | undefined {
  if (have < 1) return undefined;
  const unitId = received.readUInt8(0);
  if (unitId !== expected.unitId) return wrong("unit id", unitId, expected.unitId);
  if (have < 2) return undefined;
  const code = received.readUInt8(1);
  const isException = code === (expected.code | EXCEPTION_FLAG);
  if (!isException && code !== expected.code) return wrong("function", code, expected.code);
  if (have < HEAD) return undefined;
  const bytes = received.readUInt8(2);
  if (!isException && bytes !== expected.bytes) return wrong("byte count", bytes, expected.bytes);
  const end = lengthOf(received, expected);
  if (have < end) return undefined;
  const sum = received.readUInt16LE(end - CRC);
  const right = crc16(received, 0, end - CRC);
  return sum === right ? undefined : wrong("checksum", sum, right);
}

/**
 * Length of the frame that the answer expected has, from its first three bytes; undefined before they
 * are there. Asked only of bytes without a fault.
 */
export function frameLength(received: Buffer, have: number, expected: Expected) {
  return have < HEAD ? undefined : lengthOf(received, expected);
}

function lengthOf(received: Buffer, { code, bytes }: Expected): number {
  return HEAD + (received.readUInt8(1) === code ? bytes : 0) + CRC;
}

function wrong(field: string, seen: number, asked: number): string {
  return `${field} ${String(seen)} instead of ${String(asked)}`;
}
