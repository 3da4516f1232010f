/** Framing of Modbus RTU (Modbus over Serial Line 2.5.1), pure: what may pass to the library. */
import { crc16 } from "./crc16.ts";
import { restFaultOf, restLengthOf, wrong, type Expected } from "./expected.ts";

/** Bytes of the checksum at the end of a frame. */
export const CRC = 2;
/** Longest frame: unit id, a PDU of 253 bytes and the checksum. */
export const MAX_FRAME = 256;
/** Unit id, function and byte count or exception code. */
const HEAD = 3;
/** Where a page says that more follows, and where its objects begin. */
const MORE_FOLLOWS = 5;
const OBJECTS = 8;
const EXCEPTION_FLAG = 0x80;

/**
 * Why the first `have` bytes received can't be, or begin, the answer expected, or undefined.
 * Each field is judged as soon as it is there: a wrong byte count must not make us wait for its data.
 */
export function faultOf(received: Buffer, have: number, expected: Expected): string | undefined {
  return headFaultOf(received, have, expected) ?? sumFaultOf(received, have, expected);
}

/** The same, of all but the checksum. */
export function headFaultOf(
  received: Buffer,
  have: number,
  expected: Expected,
): string | undefined {
  if (have < 1) return undefined;
  const unitId = received.readUInt8(0);
  if (unitId !== expected.unitId) return wrong("unit id", unitId, expected.unitId);
  if (have < 2) return undefined;
  const code = received.readUInt8(1);
  const isException = code === (expected.code | EXCEPTION_FLAG);
  if (!isException && code !== expected.code) return wrong("function", code, expected.code);
  if (have < HEAD) return undefined;
  return isException ? undefined : restFaultOf(received, 2, have, expected.rest);
}

/** Why the length or the checksum of bytes with the right head is wrong, or undefined when it is right or not there yet. */
function sumFaultOf(received: Buffer, have: number, expected: Expected): string | undefined {
  if (have < HEAD) return undefined;
  const end = lengthOf(received, have, expected);
  if (end !== undefined && end > MAX_FRAME) return "objects that no frame has room for";
  if (end === undefined || have < end) return undefined;
  const sum = received.readUInt16LE(end - CRC);
  const right = crc16(received, 0, end - CRC);
  return sum === right ? undefined : wrong("checksum", sum, right);
}

/**
 * Length of the frame that the answer expected has, from its first bytes; undefined before they are
 * there. Asked only of bytes without a fault.
 */
export function frameLength(received: Buffer, have: number, expected: Expected) {
  return have < HEAD ? undefined : lengthOf(received, have, expected);
}

/** Whether what was received is such an answer, whole and undamaged; asked where another framing is spoken. */
export function isAnswer(received: Buffer, have: number, expected: Expected): boolean {
  if (faultOf(received, have, expected) !== undefined) return false;
  const length = frameLength(received, have, expected);
  return length !== undefined && have >= length;
}

function lengthOf(received: Buffer, have: number, { code, rest }: Expected): number | undefined {
  if (received.readUInt8(1) !== code) return HEAD + CRC;
  const bytes = restLengthOf(rest);
  return bytes === undefined ? pageLength(received, have) : 2 + bytes + CRC;
}

/**
 * Length of a frame with a page of objects, once all but the bytes of the last are there (Modbus
 * Application Protocol 6.21). Some count the objects of all pages, as an example in the specification
 * does: one that says that more follows may end before its count, where its checksum says so.
 */
function pageLength(received: Buffer, have: number): number | undefined {
  if (have < OBJECTS) return undefined;
  let left = received.readUInt8(OBJECTS - 1);
  let end = OBJECTS;
  while (left > 0 && end <= MAX_FRAME) {
    if (end > OBJECTS && isEnd(received, have, end)) return end + CRC;
    if (have < end + 2) return undefined;
    end += 2 + received.readUInt8(end + 1);
    left -= 1;
  }
  return end + CRC;
}

function isEnd(received: Buffer, have: number, end: number): boolean {
  if (received.readUInt8(MORE_FOLLOWS) === 0 || have < end + CRC) return false;
  return received.readUInt16LE(end) === crc16(received, 0, end);
}
