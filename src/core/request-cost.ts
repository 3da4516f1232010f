/** What one read costs on the way to the device: bytes and time. */
import { isLine, type Connection, type LineSettings, type Table } from "./model.ts";
import type { ReadRequest } from "./ports.ts";
import { isBitTable } from "./types.ts";

/** ms from the first byte of a request to the last of its answer that are assumed over a network. */
export const ASSUMED_ROUND_TRIP = 20;
/** ms that are assumed between a request and the first character of its answer on a serial line. */
export const ASSUMED_TURNAROUND = 20;

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

/** Bits of a character: start, 8 data bits, parity and stop. */
export function bitsOf({ parity, stopBits }: LineSettings): number {
  return 1 + 8 + (parity === "none" ? 0 : 1) + stopBits;
}

/** ms that request and answer take on a serial line, with the silence behind each. */
export function serialTime(request: ReadRequest, line: SerialLine): number {
  return rtuBytes(request) * characterOf(line) + 2 * silenceOf(line) + line.turnaround;
}

/** Bytes of request and answer as they are framed on this connection. */
export function requestBytes(connection: Connection, request: ReadRequest): number {
  return isLine(connection) ? rtuBytes(request) : tcpBytes(request);
}

/** Expected ms from the first byte of a request until the next one may follow, after a pause of so many ms. */
export function requestTime(connection: Connection, request: ReadRequest, pause = 0): number {
  if (connection.kind !== "serial") return ASSUMED_ROUND_TRIP + pause;
  const { baud } = connection;
  const line = { baud, bits: bitsOf(connection), turnaround: ASSUMED_TURNAROUND };
  // The silence behind the answer is part of a pause.
  return serialTime(request, line) + Math.max(0, pause - silenceOf(line));
}

/** Expected ms of a read by its count, as `requestTime`: to be asked for often. */
export function timeByCount(
  connection: Connection,
  table: Table,
  pause: number | undefined,
): (count: number) => number {
  const least = requestTime(connection, { unitId: 1, table, address: 0, count: 0 }, pause);
  if (connection.kind !== "serial") return () => least;
  const byte = characterOf({ baud: connection.baud, bits: bitsOf(connection) });
  return (count) => least + dataBytes({ table, count }) * byte;
}

/** ms that a character takes. */
export function characterTime(settings: LineSettings): number {
  return characterOf({ baud: settings.baud, bits: bitsOf(settings) });
}

/** ms of silence that belong between two frames. */
export function frameSilence(settings: LineSettings): number {
  return silenceOf({ baud: settings.baud, bits: bitsOf(settings) });
}

type Speed = Pick<SerialLine, "baud" | "bits">;

function characterOf({ baud, bits }: Speed): number {
  return (bits * 1000) / baud;
}

function silenceOf(line: Speed): number {
  return line.baud > FIXED_ABOVE ? FIXED_SILENCE : 3.5 * characterOf(line);
}

function dataBytes({ table, count }: Pick<ReadRequest, "table" | "count">): number {
  return isBitTable(table) ? Math.ceil(count / 8) : 2 * count;
}
