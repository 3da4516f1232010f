/** A slave on Modbus TCP that is told the pages it identifies itself with. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { TestContext } from "node:test";

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
      socket.write(frameOf(frame, Buffer.from(answerTo(object))));
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

/** The frame of an answer: transaction and unit are those of the request. */
function frameOf(request: Buffer, pdu: Buffer): Buffer {
  const header = Buffer.from(request.subarray(0, 7));
  header.writeUInt16BE(1 + pdu.length, 4);
  return Buffer.concat([header, pdu]);
}
