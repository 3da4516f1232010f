/**
 * The Modbus TCP devices that are polled, in a process of their own: a port each, as cheap as can be,
 * with a codec of their own. Keeps the monotonic time of every request in memory and writes all to a
 * file at SIGTERM. Arguments: the file, and a JSON list of each device's answer time in ms (null: never).
 */
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { LOG_COLUMNS } from "./request-log.ts";

const [, , file = "/dev/null", answerTimes = "[0]"] = process.argv;

let log = new Float64Array(1 << 16);
let used = 0;

function note(device: number, serial: number, sent: number): void {
  if (used === log.length) {
    const larger = new Float64Array(log.length * 2);
    larger.set(log);
    log = larger;
  }
  log.set([device, serial, Number(process.hrtime.bigint()) / 1e6, sent], used);
  used += LOG_COLUMNS;
}

/**
 * Registers 0 and 1 hold the poll's number as a float32, the others numbers that change with it.
 * Modbus Application Protocol 6.3, in the frame of the Messaging on TCP/IP Implementation Guide 3.1.3.
 */
function answerTo(request: Buffer, serial: number): Buffer {
  const address = request.readUInt16BE(8);
  const count = request.readUInt16BE(10);
  const answer = Buffer.alloc(9 + 2 * count);
  request.copy(answer, 0, 0, 8);
  answer.writeUInt16BE(3 + 2 * count, 4);
  answer[8] = 2 * count;
  let n = 0;
  for (; n + 1 < count; n += 2) {
    const register = address + n;
    answer.writeFloatBE(register === 0 ? serial : register + (serial % 100) / 8, 9 + 2 * n);
  }
  if (n < count) answer.writeUInt16BE((address + n + serial) & 0xffff, 9 + 2 * n);
  return answer;
}

function createDevice(device: number, delay: number | null): (socket: Socket) => void {
  let serial = 0;
  const take = (socket: Socket, request: Buffer): void => {
    // A poll begins with the request that holds register 0.
    const first = request.readUInt16BE(8) === 0;
    if (first) serial += 1;
    note(device, first ? serial : 0, delay === null ? 0 : 1);
    if (delay === null) return;
    const answer = answerTo(request, serial);
    if (delay === 0) socket.write(answer);
    else setTimeout(() => socket.write(answer), delay);
  };
  return (socket) => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      // A read is always 12 bytes.
      for (; bytes.length >= 12; bytes = bytes.subarray(12)) take(socket, bytes.subarray(0, 12));
      rest = bytes;
    });
  };
}

// Made by the bench alone.
const delays = JSON.parse(answerTimes) as (number | null)[];
const ports = delays.map(async (delay, device) => {
  const server = createServer({ noDelay: true }, createDevice(device, delay));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 1024, resolve));
  // A TCP server's address is never the text that a pipe's is.
  return (server.address() as AddressInfo).port;
});
process.stdout.write(`${JSON.stringify(await Promise.all(ports))}\n`);
process.once("SIGTERM", () => {
  writeFileSync(file, new Uint8Array(log.buffer, 0, used * 8));
  process.exit();
});
