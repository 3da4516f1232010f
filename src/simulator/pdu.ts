/** The simulator's own answers to PDUs; they share nothing with the client that asks. */
import type { Table } from "../core/model.ts";
import { identify } from "./identification.ts";
import type { Memory } from "./memory.ts";

/** Answers a PDU of at least one byte: data, or an exception (Modbus Application Protocol 6, 7). */
export function answerTo(pdu: Buffer, memory: Memory): Buffer {
  const code = pdu.readUInt8(0);
  const handle = FUNCTIONS[code];
  const answer = handle === undefined ? ILLEGAL_FUNCTION : handle(pdu, memory);
  return typeof answer === "number" ? exceptionTo(pdu, answer) : answer;
}

/** An exception in answer to a PDU. */
export function exceptionTo(pdu: Buffer, exception: number): Buffer {
  return Buffer.of(pdu.readUInt8(0) | 0x80, exception);
}

/** What a request of function 1 to 6, 15 or 16 is about; undefined for all others. */
export function rangeOf(
  pdu: Buffer,
): { readonly table: Table; readonly address: number; readonly count: number } | undefined {
  const code = pdu.readUInt8(0);
  const table = TABLES[code];
  if (table === undefined || pdu.length < 5) return undefined;
  const count = code === WRITE_COIL || code === WRITE_REGISTER ? 1 : pdu.readUInt16BE(3);
  return { table, address: pdu.readUInt16BE(1), count };
}

/** A whole answer, or the code of an exception. */
type Handler = (pdu: Buffer, memory: Memory) => Buffer | number;

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

const WRITE_COIL = 5;
const WRITE_REGISTER = 6;

const TABLES: Readonly<Record<number, Table>> = {
  ...{ 1: "coil", 2: "discrete", 3: "holding", 4: "input" },
  ...{ [WRITE_COIL]: "coil", [WRITE_REGISTER]: "holding", 15: "coil", 16: "holding" },
};

const FUNCTIONS: Readonly<Record<number, Handler>> = {
  1: readBits,
  2: readBits,
  3: readRegisters,
  4: readRegisters,
  [WRITE_COIL]: writeCoil,
  [WRITE_REGISTER]: writeRegister,
  15: writeCoils,
  16: writeRegisters,
  43: (pdu, { device }) => identify(pdu, device.name),
};

/** Modbus Application Protocol 6.1 and 6.2. */
function readBits(pdu: Buffer, memory: Memory): Buffer | number {
  const read = readOf(pdu, memory, memory.device.maxBits);
  if (typeof read === "number") return read;
  const data = Buffer.alloc(Math.ceil(read.length / 8));
  // The first bit is the least significant of the first byte.
  read.forEach((bit, i) => (data[i >> 3] = (data[i >> 3] ?? 0) | (bit << (i & 7))));
  return Buffer.concat([Buffer.of(pdu.readUInt8(0), data.length), data]);
}

/** Modbus Application Protocol 6.3 and 6.4. */
function readRegisters(pdu: Buffer, memory: Memory): Buffer | number {
  const read = readOf(pdu, memory, memory.device.maxRegisters);
  if (typeof read === "number") return read;
  const data = Buffer.alloc(2 * read.length);
  read.forEach((word, i) => data.writeUInt16BE(word, 2 * i));
  return Buffer.concat([Buffer.of(pdu.readUInt8(0), data.length), data]);
}

function readOf(pdu: Buffer, memory: Memory, most: number): readonly number[] | number {
  const range = rangeOf(pdu);
  if (range === undefined || pdu.length !== 5) return ILLEGAL_VALUE;
  const { table, address, count } = range;
  if (count < 1 || count > most) return ILLEGAL_VALUE;
  return memory.read(table, address, count) ?? ILLEGAL_ADDRESS;
}

/** Modbus Application Protocol 6.5: ff00 is on, 0000 is off, and nothing else is allowed. */
function writeCoil(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE;
  const value = pdu.readUInt16BE(3);
  if (value !== 0 && value !== 0xff00) return ILLEGAL_VALUE;
  return memory.write("coil", pdu.readUInt16BE(1), [value === 0 ? 0 : 1]) ? pdu : ILLEGAL_ADDRESS;
}

/** Modbus Application Protocol 6.6. */
function writeRegister(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE;
  const isWritten = memory.write("holding", pdu.readUInt16BE(1), [pdu.readUInt16BE(3)]);
  return isWritten ? pdu : ILLEGAL_ADDRESS;
}

/** Modbus Application Protocol 6.11. */
function writeCoils(pdu: Buffer, memory: Memory): Buffer | number {
  const data = writtenOf(pdu, 1968, (count) => Math.ceil(count / 8));
  if (data === undefined) return ILLEGAL_VALUE;
  const bit = (_: unknown, i: number): number => ((data[i >> 3] ?? 0) >> (i & 7)) & 1;
  return writeAll(pdu, memory, "coil", bit);
}

/** Modbus Application Protocol 6.12. */
function writeRegisters(pdu: Buffer, memory: Memory): Buffer | number {
  const data = writtenOf(pdu, 123, (count) => 2 * count);
  if (data === undefined) return ILLEGAL_VALUE;
  return writeAll(pdu, memory, "holding", (_, i) => data.readUInt16BE(2 * i));
}

/** The data of a request that writes several; undefined when its counts do not fit. */
function writtenOf(
  pdu: Buffer,
  most: number,
  bytesOf: (count: number) => number,
): Buffer | undefined {
  if (pdu.length < 6) return undefined;
  const count = pdu.readUInt16BE(3);
  const bytes = bytesOf(count);
  const fits = count >= 1 && count <= most && pdu.readUInt8(5) === bytes;
  return fits && pdu.length === 6 + bytes ? pdu.subarray(6) : undefined;
}

function writeAll(
  pdu: Buffer,
  memory: Memory,
  table: Table,
  valueOf: (_: unknown, i: number) => number,
): Buffer | number {
  const values = Array.from({ length: pdu.readUInt16BE(3) }, valueOf);
  return memory.write(table, pdu.readUInt16BE(1), values) ? pdu.subarray(0, 5) : ILLEGAL_ADDRESS;
}
