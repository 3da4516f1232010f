/** What one read costs on the way to the device: bytes and time. */
import type { ReadRequest } from "./ports.ts";
import { isBitTable } from "./types.ts";

/** How characters go over a serial line. */
export interface SerialLine {
  readonly baud: number;
  /** Bits of a character: start, data, parity and stop; 11 or, without parity and with one stop bit, 10. */
  readonly bits: number;
  /** ms that a device takes before it answers. */
  readonly turnaround: number;
}

/** The 3.5 characters of silence around a frame are fixed above 19,200 baud (Modbus over Serial Line 2.5.1.1). */
const FIXED_ABOVE = 19_200;
const FIXED_SILENCE = 1.75;
/** Address, function, start and quantity, checksum; address, function, byte count, checksum. */
const RTU_REQUEST = 8;
const RTU_ANSWER = 5;
/** The same with a header of 7 bytes in place of address and checksum (Modbus Messaging on TCP/IP 3.1.3). */
const TCP_REQUEST = 12;
const TCP_ANSWER = 9;

/** Bytes of request and answer over Modbus TCP, without the headers of TCP/IP. */
export function tcpBytes(request: ReadRequest): number {
  return TCP_REQUEST + TCP_ANSWER + dataBytes(request);
}

/** Bytes of request and answer over a serial line. */
export function rtuBytes(request: ReadRequest): number {
  return RTU_REQUEST + RTU_ANSWER + dataBytes(request);
}

/** ms that request and answer take on a serial line, with the silence behind each. */
export function serialTime(request: ReadRequest, { baud, bits, turnaround }: SerialLine): number {
  const character = (bits * 1000) / baud;
  const silence = baud > FIXED_ABOVE ? FIXED_SILENCE : 3.5 * character;
  return rtuBytes(request) * character + 2 * silence + turnaround;
}

function dataBytes({ table, count }: ReadRequest): number {
  return isBitTable(table) ? Math.ceil(count / 8) : 2 * count;
}
