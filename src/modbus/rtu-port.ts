/** The port handed to `modbus-serial` on a line without ids: nothing passes that is not the answer it waits for. */
import { EventEmitter } from "node:events";
import { expectedFor, type Expected } from "./expected.ts";
import { isFrame } from "./mbap.ts";
import { CRC, faultOf, frameLength, headFaultOf, MAX_FRAME } from "./rtu.ts";
import type { Port, PortHost } from "./strict-port.ts";

/** Functions whose answer is their request (Modbus Application Protocol 6.5, 6.6). */
const ONE_VALUE: readonly number[] = [5, 6];

/**
 * A port in the sense of `modbus-serial`: it emits `data` with unit id, PDU and checksum. One request
 * at a time; the buffer it emits is used again for the next answer. Bytes that nobody waits for are
 * noise, and so is what follows an answer that is whole: both are dropped.
 */
export class RtuPort extends EventEmitter implements Port {
  /** The library keeps requests by these; left alone they keep one place. */
  _transactionIdRead = 1;
  _transactionIdWrite = 1;
  isOpen = true;
  readonly #host: PortHost;
  /** An echo of the request and the answer may lie in it together. */
  readonly #received = Buffer.alloc(2 * MAX_FRAME);
  #have = 0;
  #expected: Expected | undefined;
  /** The request in flight, as long as the line may still echo it. */
  #echo: Buffer | undefined;
  /** Whether the line has echoed the last request of which that could be told. */
  #echoes = false;

  constructor(host: PortHost) {
    super();
    this.#host = host;
  }

  /** Called by the library; the connection stands before the port is made. */
  open(done: () => void): void {
    done();
  }

  /** Called by the library with unit id, PDU and checksum of a request, which are its frame. */
  write(adu: Buffer): void {
    this.#expected = expectedFor(0, adu.subarray(0, -CRC));
    this.#echo = adu;
    this.#have = 0;
    this.#host.send(adu);
  }

  /** Takes bytes from the wire, in pieces of any size. */
  receive(chunk: Uint8Array): void {
    const expected = this.#expected;
    if (!expected) return;
    const room = this.#received.length - this.#have;
    this.#received.set(chunk.length > room ? chunk.subarray(0, room) : chunk, this.#have);
    this.#have += Math.min(chunk.length, room);
    const isEcho = this.#skipEcho();
    const fault = faultOf(this.#received, this.#have, expected);
    if (fault !== undefined) {
      if (isEcho) return;
      this.#expected = undefined;
      const isDamaged = headFaultOf(this.#received, this.#have, expected) === undefined;
      const isTcp = !isDamaged && isFrame(this.#received, this.#have);
      this.#host.doubt(
        isTcp ? `${fault}; this is a Modbus TCP frame, as on tcp://` : fault,
        isDamaged,
      );
      return;
    }
    const end = frameLength(this.#received, this.#have, expected);
    if (end === undefined || this.#have < end) return;
    this.#expected = undefined;
    if (expected.rest === "page") this.#host.page(this.#received.subarray(1, end - CRC));
    else this.emit("data", this.#received.subarray(0, end));
  }

  /**
   * Two-wire adapters hear themselves: the request comes back before the answer. Tells whether what
   * has come may still be the beginning of that; a short answer that is whole goes first. The answer to
   * a write of one value is the request again: it is an echo where the request before had one.
   */
  #skipEcho(): boolean {
    const echo = this.#echo;
    if (!echo) return false;
    const seen = Math.min(this.#have, echo.length);
    const isAmbiguous = ONE_VALUE.includes(echo.readUInt8(1));
    if (this.#received.compare(echo, 0, seen, 0, seen) !== 0) {
      this.#echo = undefined;
      if (!isAmbiguous) this.#echoes = false;
      return false;
    }
    if (seen < echo.length) return true;
    if (isAmbiguous && !this.#echoes) {
      this.#echo = undefined;
      return false;
    }
    this.#echoes = true;
    this.#received.copyWithin(0, seen, this.#have);
    this.#have -= seen;
    this.#echo = undefined;
    return false;
  }
}
