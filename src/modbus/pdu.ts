/** What `modbus-serial` is used for: it builds the PDUs of requests and parses those of answers. */
import modbusSerial from "modbus-serial";
import type { ReadRequest, WriteRequest } from "../core/ports.ts";
import type { Port } from "./strict-port.ts";

// CommonJS: its module object is the default import, and the class is that object's `default`.
const ModbusRTU = modbusSerial.default;

/** The library's client; one for each connection. */
export type Client = InstanceType<typeof ModbusRTU>;

const NOTHING = Buffer.alloc(0);

/** Called with what the library made of an answer. */
export type Parsed = (error: Error | null, result?: { readonly buffer: Buffer }) => void;

/** A client on a port of ours; its own connect functions and time-outs stay unused. */
export function createClient(port: Port): Client {
  const client = new ModbusRTU(port);
  client.open();
  return client;
}

/** Has the client write a request to its port; throws when a number does not fit its field. */
export function send(client: Client, request: ReadRequest | WriteRequest, parsed: Parsed): void {
  if ("words" in request) sendWrite(client, request, parsed);
  else sendRead(client, request, parsed);
}

function sendRead(client: Client, request: ReadRequest, parsed: Parsed): void {
  const { unitId, address, count } = request;
  switch (request.table) {
    case "coil":
      client.writeFC1(unitId, address, count, parsed);
      break;
    case "discrete":
      client.writeFC2(unitId, address, count, parsed);
      break;
    case "holding":
      client.writeFC3(unitId, address, count, parsed);
      break;
    case "input":
      client.writeFC4(unitId, address, count, parsed);
      break;
  }
}

/** The functions 5 and 6 for one value, 15 and 16 for several (Modbus Application Protocol 6.5, 6.6, 6.11, 6.12). */
function sendWrite(client: Client, request: WriteRequest, parsed: Parsed): void {
  const { unitId, table, address, asSeveral } = request;
  const words = [...request.words];
  const [first = 0] = words;
  const isOne = words.length === 1 && !asSeveral;
  // The answer repeats what was sent: that was looked at before the library got it.
  const done = (error: Error | null) => {
    parsed(error, { buffer: NOTHING });
  };
  if (table === "coil") {
    const bits = words.map((word) => word !== 0);
    if (isOne) client.writeFC5(unitId, address, first !== 0, done);
    else client.writeFC15(unitId, address, bits, done);
  } else if (isOne) client.writeFC6(unitId, address, first, done);
  else client.writeFC16(unitId, address, words, done);
}

/** The data of an answer as one entry a register or bit (Modbus Application Protocol 6.1 to 6.4); none of a write. */
export function wordsOf(request: ReadRequest | WriteRequest, data: Buffer): Uint16Array {
  if ("words" in request) return Uint16Array.of();
  const words = new Uint16Array(request.count);
  if (request.table === "coil" || request.table === "discrete") {
    for (let bit = 0; bit < words.length; bit += 1) {
      words[bit] = ((data[bit >> 3] ?? 0) >> (bit & 7)) & 1;
    }
  } else {
    for (let word = 0; word < words.length; word += 1) words[word] = data.readUInt16BE(2 * word);
  }
  return words;
}

/** The exception code that the library put on its error, if that is what it reports. */
export function exceptionOf(error: Error | null): number | undefined {
  if (!error || !("modbusCode" in error)) return undefined;
  return typeof error.modbusCode === "number" ? error.modbusCode : undefined;
}
