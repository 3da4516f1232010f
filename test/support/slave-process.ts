/**
 * A Modbus TCP slave in a process of its own, with faults on demand. Its codec is written from the
 * Modbus specifications and shares nothing with the product. `slave.ts` starts and steers it.
 * Arguments: how many ports to listen on, and the file that every request is appended to.
 */
import { openSync, writeSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Command, Fault, LogLine } from "./slave.ts";

interface Request {
  readonly tid: number;
  readonly unit: number;
  readonly fc: number;
  readonly address: number;
  readonly count: number;
  /** Number of the request at its port, from 1. */
  readonly serial: number;
}

/** The simulated device behind one port. */
interface Device {
  readonly server: Server;
  port: number;
  fault: Fault;
  serial: number;
  /** Newest last. */
  readonly sockets: Set<Socket>;
  /** What to send when the fault is changed. */
  held: (() => void)[];
  /** Those who wait for the request of that number. */
  waiting: { readonly serial: number; readonly done: () => void }[];
}

const [, , portCount = "1", logFile = "/dev/null"] = process.argv;
const logFd = openSync(logFile, "a");
const devices = new Map<number, Device>();
let lastConnection = 0;

type Untimed<Line> = Line extends unknown ? Omit<Line, "t"> : never;

function log(line: Untimed<LogLine>): void {
  writeSync(logFd, `${JSON.stringify({ t: String(process.hrtime.bigint()), ...line })}\n`);
}

function listen(device: Device): Promise<void> {
  return new Promise((resolve, reject) => {
    device.server.once("error", reject);
    device.server.listen(device.port, "127.0.0.1", () => {
      device.server.off("error", reject);
      resolve();
    });
  });
}

async function createDevice(): Promise<Device> {
  const device: Device = {
    server: createServer({ noDelay: true }, (socket) => {
      accept(device, socket);
    }),
    port: 0,
    fault: { kind: "normal" },
    serial: 0,
    sockets: new Set(),
    held: [],
    waiting: [],
  };
  await listen(device);
  // A TCP server's address is never the text that a pipe's is.
  device.port = (device.server.address() as AddressInfo).port;
  return device;
}

function accept(device: Device, socket: Socket): void {
  const conn = (lastConnection += 1);
  let rest: Buffer = Buffer.alloc(0);
  device.sockets.add(socket);
  log({ event: "open", port: device.port, conn });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    device.sockets.delete(socket);
    log({ event: "close", port: device.port, conn });
  });
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 6 && rest.length >= 6 + rest.readUInt16BE(4)) {
      const end = 6 + rest.readUInt16BE(4);
      take(device, socket, conn, rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
}

function take(device: Device, socket: Socket, conn: number, frame: Buffer): void {
  device.serial += 1;
  const request: Request = {
    tid: frame.readUInt16BE(0),
    unit: frame.readUInt8(6),
    fc: frame.readUInt8(7),
    address: frame.readUInt16BE(8),
    count: frame.readUInt16BE(10),
    serial: device.serial,
  };
  const { serial, ...fields } = request;
  const raw = frame.toString("hex");
  log({ event: "request", port: device.port, conn, serial, ...fields, raw });
  for (const waiter of device.waiting) if (waiter.serial === serial) waiter.done();
  device.waiting = device.waiting.filter((waiter) => waiter.serial > serial);
  respond(device, socket, request);
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

function frameOf({ tid, unit }: Request, pdu: Buffer, protocol = 0): Buffer {
  const header = Buffer.alloc(7);
  header.writeUInt16BE(tid, 0);
  header.writeUInt16BE(protocol, 2);
  header.writeUInt16BE(1 + pdu.length, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, pdu]);
}

function respond(device: Device, socket: Socket, request: Request): void {
  const { fault } = device;
  const good = frameOf(request, pduOf(request));
  switch (fault.kind) {
    case "silent":
    case "refuse":
      return;
    case "delay":
      setTimeout(() => socket.write(good), fault.ms);
      return;
    case "late":
      setTimeout(writeSomewhere, fault.ms, device, socket, good);
      return;
    case "hold":
      device.held.push(() => {
        writeSomewhere(device, socket, good);
      });
      return;
    case "unasked":
      socket.write(good);
      device.held.push(() => socket.write(Buffer.alloc(8)));
      return;
    case "answer-close":
      socket.end(good);
      return;
    case "close":
      socket.end();
      return;
    case "rst":
      socket.resetAndDestroy();
      return;
    case "split":
      void dribble(socket, good);
      return;
    default:
      socket.write(wrong(fault, request, good));
  }
}

/** A device that mixes up its connections: who gave up still gets the answer on the newest one. */
function writeSomewhere(device: Device, socket: Socket, answer: Buffer): void {
  (socket.destroyed ? [...device.sockets].at(-1) : socket)?.write(answer);
}

/** What goes out under faults that only change the bytes of an answer. */
function wrong(fault: Fault, request: Request, good: Buffer): Buffer {
  const pdu = pduOf(request);
  switch (fault.kind) {
    case "exception":
      return frameOf(request, Buffer.from([request.fc | 0x80, fault.code]));
    case "garbage":
      return Buffer.from(fault.hex ?? "deadbeefffff01030200", "hex");
    case "wrong-tid":
      return frameOf({ ...request, tid: (request.tid + 1) & 0xffff }, pdu);
    case "wrong-protocol":
      return frameOf(request, pdu, 0xbeef);
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
    default:
      return good;
  }
}

async function dribble(socket: Socket, frame: Buffer): Promise<void> {
  for (const byte of frame) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function setFault(device: Device, fault: Fault): Promise<void> {
  device.fault = fault;
  for (const send of device.held.splice(0)) send();
  if (fault.kind === "refuse") {
    for (const socket of device.sockets) socket.destroy();
    if (device.server.listening) await new Promise((resolve) => device.server.close(resolve));
  } else if (!device.server.listening) {
    await listen(device);
  }
}

async function received(device: Device, serial: number): Promise<void> {
  if (device.serial >= serial) return;
  await new Promise<void>((done) => device.waiting.push({ serial, done }));
}

async function obey(command: Command): Promise<void> {
  const device = devices.get(command.port);
  if (!device) throw new Error(`no such port: ${String(command.port)}`);
  if (command.op === "fault") await setFault(device, command.fault);
  else await received(device, command.serial);
  process.stdout.write(`${JSON.stringify({ id: command.id })}\n`);
}

for (let n = 0; n < Number(portCount); n += 1) {
  const device = await createDevice();
  devices.set(device.port, device);
}
process.stdout.write(`${JSON.stringify({ ports: [...devices.keys()] })}\n`);
createInterface({ input: process.stdin })
  // The lines come from slave.ts alone.
  .on("line", (line) => void obey(JSON.parse(line) as Command))
  // Whoever started it is gone.
  .on("close", () => process.exit());
