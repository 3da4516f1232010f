/** What a fault makes of an answer on a serial line. */
import type { LineFault } from "../core/fault.ts";
import type { Random } from "../core/ports.ts";
import { atOnce, GARBAGE, later, oneByOne, type Outgoing } from "./outgoing.ts";
import { exceptionTo } from "./pdu.ts";
import { rtuBytes, type RtuFrame } from "./rtu-frames.ts";
import { otherByteCount, otherFunction } from "./tcp-faults.ts";

/** What goes out for a request under a fault; `pdu` is the right answer. */
export function lineOutgoing(
  request: RtuFrame,
  pdu: Buffer,
  fault: LineFault,
  random: Random,
): Outgoing {
  const { unitId } = request;
  const good = rtuBytes({ unitId, pdu });
  switch (fault.kind) {
    case "normal":
      return atOnce(good);
    case "silent":
      return { pieces: [] };
    case "delay":
      return later(fault.ms + Math.round((fault.jitter ?? 0) * random()), good);
    case "hold":
      return later(null, good);
    case "split":
      return oneByOne(good);
    case "exception":
      return atOnce(rtuBytes({ unitId, pdu: exceptionTo(request.pdu, fault.code) }));
    case "garbage":
      return atOnce(Buffer.from(fault.hex ?? GARBAGE, "hex"));
    case "truncated":
      return atOnce(good.subarray(0, good.length >> 1));
    case "duplicate":
      return atOnce(good, good);
    case "wrong-unit":
      return atOnce(rtuBytes({ unitId: (unitId + 1) & 0xff, pdu }));
    case "wrong-function":
      return atOnce(rtuBytes({ unitId, pdu: otherFunction(request.pdu, pdu) }));
    case "wrong-bytecount":
      return atOnce(rtuBytes({ unitId, pdu: otherByteCount(request.pdu) }));
    default:
      return noisy(request, good, fault);
  }
}

type Noisy = Extract<
  LineFault,
  { kind: `noise-${string}` | "bad-crc" | "echo" | "echo-first" | "master" }
>;

const NOISE = "00ff";
/** ms between two things that come one after the other. */
const APART = 5;
/** Another master's question, and its answer. */
const ANOTHER = { asks: Buffer.of(3, 0, 5, 0, 1), hears: Buffer.of(3, 2, 0, 5), unitId: 9 };
/** ms that the other master's exchange takes. */
const TURN = 20;

/** The right answer, and what else is on the line. */
function noisy(request: RtuFrame, good: Buffer, fault: Noisy): Outgoing {
  const half = good.length >> 1;
  const noise = Buffer.from(("hex" in fault ? fault.hex : undefined) ?? NOISE, "hex");
  const apart = ("ms" in fault ? fault.ms : undefined) ?? APART;
  const echo = rtuBytes(request);
  switch (fault.kind) {
    case "bad-crc":
      return atOnce(spoilt(good));
    case "noise-before":
      return atOnce(noise, good);
    case "noise-inside":
      return atOnce(good.subarray(0, half), noise, good.subarray(half));
    case "noise-after":
      return atOnce(good, noise);
    case "noise-later":
      return { pieces: [...atOnce(good).pieces, { after: apart, bytes: noise }] };
    case "echo":
      return atOnce(echo, good);
    case "echo-first":
      return { pieces: [...atOnce(echo).pieces, { after: apart, bytes: good }] };
    case "master": {
      const { asks, hears, unitId } = ANOTHER;
      const exchange = [rtuBytes({ unitId, pdu: asks }), rtuBytes({ unitId, pdu: hears })];
      return { pieces: [...atOnce(...exchange).pieces, { after: TURN, bytes: good }] };
    }
  }
}

/** With another last byte of data, so that the checksum is that of something else. */
function spoilt(good: Buffer): Buffer {
  const bytes = Buffer.from(good);
  const at = bytes.length - 3;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at);
  return bytes;
}
