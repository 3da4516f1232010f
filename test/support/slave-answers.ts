/** The slave's codec, written from the Modbus specifications; it shares nothing with the product. */
import type { AnswerFault } from "../../src/core/fault.ts";

/** A request as it came in. */
export interface Request {
  readonly tid: number;
  readonly unit: number;
  readonly fc: number;
  readonly address: number;
  readonly count: number;
  /** Number of the request at its port, from 1. */
  readonly serial: number;
}

/** Length of the frame that the bytes begin with; undefined while that can't be known. */
export function frameLength(bytes: Buffer): number | undefined {
  return bytes.length < 6 ? undefined : 6 + bytes.readUInt16BE(4);
}

/** Takes a whole frame apart. */
export function requestOf(frame: Buffer, serial: number): Request {
  return {
    tid: frame.readUInt16BE(0),
    unit: frame.readUInt8(6),
    fc: frame.readUInt8(7),
    address: frame.readUInt16BE(8),
    count: frame.readUInt16BE(10),
    serial,
  };
}

/** The right answer. */
export function answerTo(request: Request): Buffer {
  return frameOf(request, pduOf(request));
}

/** What goes out under faults that only change the bytes of an answer; the right one under all others. */
export function wrongAnswerTo(request: Request, fault: AnswerFault): Buffer {
  const pdu = pduOf(request);
  const good = frameOf(request, pdu);
  switch (fault.kind) {
    case "exception":
      return frameOf(request, Buffer.from([request.fc | 0x80, fault.code]));
    case "garbage":
      return Buffer.from(fault.hex ?? "deadbeefffff01030200", "hex");
    case "wrong-tid":
      return frameOf({ ...request, tid: (request.tid + 1) & 0xffff }, pdu);
    case "wrong-protocol":
      return frameOf(request, pdu, 0xbeef);
    case "wrong-length":
      good.writeUInt16BE(fault.length, 4);
      return good;
    case "wrong-unit":
      return frameOf({ ...request, unit: (request.unit + 1) & 0xff }, pdu);
    case "wrong-function":
      return frameOf(request, Buffer.from([request.fc === 3 ? 4 : 3, ...pdu.subarray(1)]));
    case "wrong-bytecount":
      return frameOf(request, Buffer.from([request.fc, 2, 0, 7]));
    case "truncated":
      return good.subarray(0, Math.ceil(good.length / 2));
    case "extra":
      return Buffer.concat([good, Buffer.alloc(20, 0xee)]);
    case "duplicate":
      return Buffer.concat([good, good]);
    case "glued":
      return Buffer.concat([good, frameOf({ ...request, tid: (request.tid + 1) & 0xffff }, pdu)]);
    default:
      return good;
  }
}

/** Registers hold their own address, but 0 and 1, which hold the number of the request. */
function register(address: number, serial: number): number {
  if (address === 0) return serial >>> 16;
  return address === 1 ? serial & 0xffff : address;
}

/** Every third coil is set, and every fifth discrete input. */
function bit(fc: number, address: number): number {
  return address % (fc === 1 ? 3 : 5) === 0 ? 1 : 0;
}

function pduOf({ fc, address, count, serial }: Request): Buffer {
  if (fc < 1 || fc > 4) return Buffer.from([fc | 0x80, 1]);
  if (count < 1 || count > (fc <= 2 ? 2000 : 125)) return Buffer.from([fc | 0x80, 3]);
  if (address + count > 0x10000) return Buffer.from([fc | 0x80, 2]);
  const bytes = fc <= 2 ? Math.ceil(count / 8) : count * 2;
  const pdu = Buffer.alloc(2 + bytes);
  pdu.set([fc, bytes]);
  for (let n = 0; n < count; n += 1) {
    if (fc > 2) pdu.writeUInt16BE(register(address + n, serial), 2 + 2 * n);
    else pdu[2 + (n >> 3)] = (pdu[2 + (n >> 3)] ?? 0) | (bit(fc, address + n) << (n & 7));
  }
  return pdu;
}

function frameOf({ tid, unit }: Pick<Request, "tid" | "unit">, pdu: Buffer, protocol = 0): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt16BE(tid, 0);
  header.writeUInt16BE(protocol, 2);
  header.writeUInt16BE(1 + pdu.length, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, pdu]);
}
