/** How much a client of the embedded broker may send at once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import mqttPacket from "mqtt-packet";
import { createEmbeddedBus } from "../../src/mqtt/embedded-bus.ts";
import { guardPackets } from "../../src/mqtt/packet-guard.ts";
import { createClock } from "../../src/system/clock.ts";
import { freePort } from "../support/mosquitto.ts";
import { messageTo, opened, recordingLog, subscribe, type Inbox, type LogLine } from "./peers.ts";

const LIMIT = { timeout: 20_000 };
const LOGIN = { cmd: "connect", clientId: "loud", clean: true, keepalive: 60 } as const;
const CONNECT = mqttPacket.generate(LOGIN);
const WELCOME = Buffer.from("20020000", "hex");
/** Fixed header of a CONNECT and of a PUBLISH that announce 30 MB (MQTT 3.1.1, 2.2.3). */
const HUGE_LOGIN = Buffer.from("108087a70e", "hex");
const HUGE_PUBLISH = Buffer.from("308087a70e", "hex");
const CLIENTS = 8;
const PIECE = Buffer.alloc(64 * 1024);

describe("embedded: the size of packets", LIMIT, () => {
  it("is 256 KiB at most, and no byte more", async (t) => {
    const { port, dropped } = await startBus(t);
    const { inbox, close } = await subscribe(`mqtt://127.0.0.1:${String(port)}`, "test/x");
    const loud = await connected(port);
    await logIn(loud, "loud");
    loud.write(publishOf(256 * 1024));
    loud.write(publishOf(100));
    for (const size of [256 * 1024, 100]) {
      const { payload } = await inbox.next();
      assert.equal(payload.length, publishOf(size).length - headOf(size));
    }
    loud.write(publishOf(256 * 1024 + 1));
    await closed(loud);
    assert.match(await dropped(), /was dropped\..*262144 are taken/);
    await close();
  });

  it("is 64 KiB at most before the login", async (t) => {
    const { port, dropped } = await startBus(t);
    const login = (length: number): Buffer =>
      mqttPacket.generate({
        ...LOGIN,
        username: "u",
        password: Buffer.alloc(length),
      });
    const rest = login(60_000).length - 60_000;
    const fits = await connected(port);
    fits.write(login(64 * 1024 - rest));
    assert.deepEqual(await answerOf(fits), WELCOME);
    fits.destroy();
    const large = await connected(port);
    large.write(login(64 * 1024 - rest + 1));
    await closed(large);
    assert.match(await dropped(), /dropped before its login.*65536 are taken/);
  });

  for (const [what, isLoggedIn, header] of [
    ["before the login", false, HUGE_LOGIN],
    ["after it", true, HUGE_PUBLISH],
  ] as const) {
    it(`costs no memory when 8 clients announce 30 MB each and send on, ${what}`, async (t) => {
      const { port } = await startBus(t);
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      const look = (): void => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      };
      const clients = Array.from({ length: CLIENTS }, async (_, n) => {
        const socket = await connected(port);
        if (isLoggedIn) await logIn(socket, `loud-${String(n)}`);
        await flood(socket, header, look);
      });
      await Promise.all(clients);
      assert.ok(most < 10e6, `${String(most)} bytes more`);
    });
  }
});

describe("the guard of packets", () => {
  const stream = Buffer.concat([CONNECT, publishOf(100), publishOf(20_000), publishOf(300_000)]);
  const start = stream.length - 300_000;

  it("finds the packet that is too large wherever the stream is cut", () => {
    for (let cut = 0; cut < start + 8; cut += cut > 200 && cut < start - 200 ? 97 : 1) {
      assert.ok(isRefused(stream.subarray(0, cut), stream.subarray(cut)), String(cut));
    }
    assert.ok(isRefused(...Array.from(stream.subarray(0, start + 4), (byte) => Buffer.of(byte))));
  });

  it("lets through what comes before it", () => {
    assert.equal(isRefused(stream.subarray(0, start)), false);
  });

  it("refuses a length of five bytes", () => {
    assert.ok(isRefused(CONNECT, Buffer.from("308080808001", "hex")));
  });
});

/** Whether a reader that takes these chunks is cut off. */
function isRefused(...chunks: readonly Buffer[]): boolean {
  const socket = new PassThrough();
  socket.on("error", () => undefined);
  guardPackets(socket);
  for (const chunk of chunks) socket.emit("data", chunk);
  return socket.destroyed;
}

async function startBus(t: TestContext): Promise<{ port: number; dropped: () => Promise<string> }> {
  const port = await freePort();
  const { log, lines } = recordingLog();
  const bus = createEmbeddedBus({
    ...{ host: "127.0.0.1", port, log, clock: createClock() },
    commandFilter: "test/cmd/+",
    will: messageTo("test/node/state", "offline", { retain: true }),
  });
  t.after(() => bus.close());
  await opened(bus);
  return { port, dropped: () => droppedIn(lines) };
}

/** What the log says of the next client that was dropped. */
async function droppedIn(lines: Inbox<LogLine>): Promise<string> {
  const { text, fields } = await lines.until((line) => line.text.includes("was dropped"));
  return `${text} ${JSON.stringify(fields)}`;
}

/** A QoS 0 PUBLISH that is so large as a whole (MQTT 3.1.1, 3.3). */
function publishOf(size: number): Buffer {
  const payload = Buffer.alloc(size - headOf(size), "x");
  const packet = mqttPacket.generate({
    ...{ cmd: "publish", topic: "test/x", payload },
    ...{ qos: 0, retain: false, dup: false },
  });
  assert.equal(packet.length, size);
  return packet;
}

/** Bytes of a PUBLISH on `test/x` that are not its payload. */
function headOf(size: number): number {
  const lengthBytes = size <= 129 ? 1 : size <= 16_386 ? 2 : 3;
  return 1 + lengthBytes + 2 + "test/x".length;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

async function logIn(socket: Socket, clientId: string): Promise<void> {
  socket.write(mqttPacket.generate({ ...LOGIN, clientId }));
  assert.deepEqual(await answerOf(socket), WELCOME);
}

/** Settles when the connection is gone, in whatever way. */
async function closed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) =>
    socket.once("close", () => {
      resolve();
    }),
  );
}

async function answerOf(socket: Socket): Promise<Buffer> {
  const [bytes] = (await once(socket, "data")) as [Buffer];
  return bytes;
}

/** Sends a header and then what it announces, until the broker ends the connection or all is sent. */
async function flood(socket: Socket, header: Buffer, look: () => void): Promise<void> {
  socket.resume();
  socket.write(header);
  for (let sent = 0; sent < 30e6 && !socket.destroyed; sent += PIECE.length) {
    await new Promise((resolve) => socket.write(PIECE, resolve));
    look();
  }
  await closed(socket);
}
