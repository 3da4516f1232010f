/** Both sides of device identification over Modbus TCP: a plain master, and a slave that is told its pages. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { PduAnswer } from "../../src/modbus/identification.ts";

interface Refused {
  readonly ok: false;
  readonly detail: string;
  readonly exception: number;
}

/** Sends PDUs to a unit, one after the other, over one connection that ends with the test. */
export async function startMaster(
  t: Pick<TestContext, "after">,
  port: number,
  unitId: number,
): Promise<(pdu: Buffer) => Promise<PduAnswer<Refused>>> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return async (pdu) => {
    socket.write(frameOf(unitId, pdu));
    const answer = (await nextFrame(socket)).subarray(7);
    const [code = 0, exception = 0] = answer;
    if (code < 0x80) return { ok: true, pdu: answer };
    return { ok: false, detail: `exception ${String(exception)}`, exception };
  };
}

/** A slave that answers each request with a PDU; settles with its port and the requests it gets. */
export async function startScripted(
  t: Pick<TestContext, "after">,
  answerTo: (object: number) => readonly number[],
): Promise<{ readonly port: number; readonly requests: number[] }> {
  const requests: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("data", (frame: Buffer) => {
      const object = frame.readUInt8(10);
      requests.push(object);
      socket.write(frameOf(frame.readUInt8(6), Buffer.from(answerTo(object))));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A TCP server's address is never the text that a pipe's is.
  return { port: (server.address() as AddressInfo).port, requests };
}

/** A page with these objects, in the bytes of its PDU. */
export function page(objects: Readonly<Record<number, string>>, next?: number): number[] {
  const texts = Object.entries(objects).flatMap(([id, text]) => [
    ...[Number(id), text.length],
    ...Buffer.from(text, "latin1"),
  ]);
  const more = next === undefined ? [0, 0] : [0xff, next];
  return [0x2b, 0x0e, 2, 0x82, ...more, Object.keys(objects).length, ...texts];
}

function frameOf(unitId: number, pdu: Buffer): Buffer {
  const header = Buffer.from([0, 1, 0, 0, 0, 0, unitId]);
  header.writeUInt16BE(1 + pdu.length, 4);
  return Buffer.concat([header, pdu]);
}

async function nextFrame(socket: Socket): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < 6 || bytes.length < 6 + bytes.readUInt16BE(4)) {
    // A socket without an encoding gives buffers.
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
  return bytes;
}
