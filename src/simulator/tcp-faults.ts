/** What a fault makes of an answer over TCP. */
import type { AnswerFault } from "../core/fault.ts";
import type { Random } from "../core/ports.ts";
import { frameBytes, type Frame } from "./frames.ts";
import { atOnce, GARBAGE, later, oneByOne, type Outgoing } from "./outgoing.ts";
import { exceptionTo } from "./pdu.ts";

/** What goes out for a request under a fault; `pdu` is the right answer. */
export function tcpOutgoing(
  request: Frame,
  pdu: Buffer,
  fault: AnswerFault,
  random: Random,
): Outgoing {
  const good = frameBytes({ ...request, pdu });
  switch (fault.kind) {
    case "silent":
      return { pieces: [] };
    case "delay":
      return later(fault.ms + Math.round((fault.jitter ?? 0) * random()), good);
    case "late":
      return { ...later(fault.ms, good), wanders: true };
    case "hold":
      return { ...later(null, good), wanders: true };
    case "unasked":
      return { pieces: [...atOnce(good).pieces, { after: null, bytes: Buffer.alloc(8) }] };
    case "close":
      return { ...atOnce(partOf(good, fault.at)), ending: "end" };
    case "rst":
      return { ...atOnce(partOf(good, fault.at)), ending: "reset" };
    case "split":
      return oneByOne(good);
    default:
      return atOnce(wrongBytes(request, pdu, fault));
  }
}

function wrongBytes(request: Frame, pdu: Buffer, fault: AnswerFault): Buffer {
  const { transaction, unitId } = request;
  const good = frameBytes({ ...request, pdu });
  const next = (transaction + 1) & 0xffff;
  switch (fault.kind) {
    case "exception":
      return frameBytes({ ...request, pdu: exceptionTo(request.pdu, fault.code) });
    case "garbage":
      return Buffer.from(fault.hex ?? GARBAGE, "hex");
    case "wrong-tid":
      return frameBytes({ ...request, transaction: next, pdu });
    case "wrong-protocol":
      good.writeUInt16BE(0xbeef, 2);
      return good;
    case "wrong-length":
      good.writeUInt16BE(fault.length, 4);
      return good;
    case "wrong-unit":
      return frameBytes({ ...request, unitId: (unitId + 1) & 0xff, pdu });
    case "wrong-function":
      return frameBytes({ ...request, pdu: otherFunction(request.pdu, pdu) });
    case "wrong-bytecount":
      return frameBytes({ ...request, pdu: otherByteCount(request.pdu) });
    case "truncated":
      return good.subarray(0, Math.ceil(good.length / 2));
    case "extra":
      return Buffer.concat([good, Buffer.alloc(20, 0xee)]);
    case "duplicate":
      return Buffer.concat([good, good]);
    case "glued":
      return Buffer.concat([good, frameBytes({ ...request, transaction: next, pdu })]);
    default:
      return good;
  }
}

/** The right data under another function. */
export function otherFunction(asked: Buffer, pdu: Buffer): Buffer {
  return Buffer.concat([Buffer.of(asked.readUInt8(0) === 3 ? 4 : 3), pdu.subarray(1)]);
}

/** An answer of two bytes of data, or of four where two are right (Modbus Application Protocol 6.1 to 6.4). */
export function otherByteCount(asked: Buffer): Buffer {
  const functionCode = asked.readUInt8(0);
  const count = asked.length < 5 ? 0 : asked.readUInt16BE(3);
  const right = functionCode <= 2 ? Math.ceil(count / 8) : 2 * count;
  const data = right === 2 ? [0, 7, 0, 7] : [0, 7];
  return Buffer.of(functionCode, data.length, ...data);
}

function partOf(frame: Buffer, at: "before" | "middle" | "after"): Buffer {
  if (at === "before") return Buffer.alloc(0);
  return at === "middle" ? frame.subarray(0, frame.length >> 1) : frame;
}
