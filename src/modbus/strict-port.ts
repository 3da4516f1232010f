/** The port handed to `modbus-serial` on Modbus TCP: nothing passes to it that is not the answer it waits for. */
import { EventEmitter } from "node:events";
import { crc16 } from "./crc16.ts";
import { expectedFor, type Expected } from "./expected.ts";
import { faultOf, frameOf, HEADER, isWhole, MAX_BODY } from "./mbap.ts";
import { isAnswer } from "./rtu.ts";

const CRC = 2;

/** What a port needs from its connection. */
export interface PortHost {
  /** Sends a frame; called once a request. */
  send(frame: Buffer): void;
  /**
   * Something came that can't be the answer, or is the answer `isDamaged` on its way; the bytes that
   * follow can't be trusted either.
   */
  doubt(detail: string, isDamaged?: boolean): void;
  /** The answer to an identification: its PDU, in a buffer that is used again. The library would follow its pages without end. */
  page(pdu: Uint8Array): void;
}

/** What a connection needs from a port, which `modbus-serial` writes to and listens to. */
export interface Port extends EventEmitter {
  /** Whether the library may write. */
  isOpen: boolean;
  /** Sends unit id, PDU and checksum of a request. */
  write(adu: Buffer): void;
  /** Takes bytes from the wire, in pieces of any size. */
  receive(chunk: Uint8Array): void;
}

/**
 * A port in the sense of `modbus-serial`: it emits `data` with unit id, PDU and checksum.
 * One request at a time; the buffer it emits is used again for the next answer.
 */
export class StrictPort extends EventEmitter implements Port {
  /** The library keeps requests by these; left alone they keep one place, ids are checked here. */
  _transactionIdRead = 1;
  _transactionIdWrite = 1;
  isOpen = true;
  readonly #host: PortHost;
  readonly #nextId: () => number;
  readonly #received = Buffer.alloc(HEADER + MAX_BODY + CRC);
  #have = 0;
  #expected: Expected | undefined;

  /** `nextId` gives the transaction id of the next request, 0 to 65535. */
  constructor(host: PortHost, nextId: () => number) {
    super();
    this.#host = host;
    this.#nextId = nextId;
  }

  /** Called by the library; the connection stands before the port is made. */
  open(done: () => void): void {
    done();
  }

  /** Called by the library with unit id, PDU and checksum of a request. */
  write(adu: Buffer): void {
    const body = adu.subarray(0, -CRC);
    const id = this.#nextId();
    this.#expected = expectedFor(id, body);
    this.#have = 0;
    this.#host.send(frameOf(id, body));
  }

  /** Takes bytes from the wire, in pieces of any size. */
  receive(chunk: Uint8Array): void {
    const expected = this.#expected;
    if (!expected) {
      this.#host.doubt(`${String(chunk.length)} bytes came while no request was in flight`);
      return;
    }
    const room = this.#received.length - this.#have;
    this.#received.set(chunk.length > room ? chunk.subarray(0, room) : chunk, this.#have);
    this.#have += chunk.length;
    const fault = faultOf(this.#received, this.#have, expected);
    if (fault !== undefined) {
      this.#expected = undefined;
      const isRtu = isAnswer(this.#received, this.#have, expected);
      this.#host.doubt(isRtu ? `${fault}; this is an RTU frame, as on rtu+tcp://` : fault);
    } else if (isWhole(this.#received, this.#have)) {
      this.#expected = undefined;
      this.#pass(this.#have, expected);
    }
  }

  #pass(end: number, { rest }: Expected): void {
    if (rest === "page") {
      this.#host.page(this.#received.subarray(HEADER + 1, end));
      return;
    }
    this.#received.writeUInt16LE(crc16(this.#received, HEADER, end), end);
    this.emit("data", this.#received.subarray(HEADER, end + CRC));
  }
}
