import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { modelDevice } from "../../src/simulator/models.ts";
import { startSimulator } from "../../src/simulator/tcp-server.ts";
import type { Simulator, SimulatorOptions } from "../../src/simulator/tcp-server.ts";
import { anyUnit, unitsOf } from "../../src/simulator/units.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const MBPOLL = "/usr/bin/mbpoll";
const LIMIT = { timeout: 20_000 };

const clients = new Set<Socket>();

async function start(
  t: TestContext,
  change: Partial<SimulatorOptions> = {},
): Promise<Simulator & { clock: ReturnType<typeof createFakeClock> }> {
  const clock = createFakeClock();
  const units = anyUnit(modelDevice("energy-meter", "a"), () => clock.elapsed() / 1000);
  const options = { host: "127.0.0.1", port: 0, units, clock };
  const simulator = await startSimulator({ ...options, ...change });
  t.after(async () => {
    // Clients first: a simulator that can't end its connections must fail a test, not hang it.
    for (const client of clients) client.destroy();
    await simulator.close();
  });
  return Object.assign(simulator, { clock });
}

async function join(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  clients.add(socket);
  await once(socket, "connect");
  return socket;
}

/** Settles when the connection has ended, in whatever way. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => {
      resolve();
    });
  });
}

/** A request frame: transaction, unit, then the PDU. */
function frame(transaction: number, ...pdu: number[]): Buffer {
  return Buffer.of(transaction >> 8, transaction & 255, 0, 0, 0, pdu.length + 1, 17, ...pdu);
}

/** The next `length` bytes. */
async function take(socket: Socket, length: number): Promise<number[]> {
  const bytes: number[] = [];
  while (bytes.length < length) {
    // "data" of a socket without an encoding carries one Buffer.
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes.push(...chunk);
  }
  return bytes;
}

async function runMbpoll(port: number, args: readonly string[]): Promise<string> {
  const where = ["-m", "tcp", "-p", String(port), "-0", "-o", "5", ...args];
  return (await promisify(execFile)(MBPOLL, where, { timeout: 20_000 })).stdout;
}

/** What mbpoll reads: value by address. */
async function mbpoll(port: number, ...args: string[]): Promise<Record<string, number>> {
  const stdout = await runMbpoll(port, ["-1", ...args, "127.0.0.1"]);
  const lines = stdout.matchAll(/^\[(\d+)\]:\s+(\S+)/gm);
  return Object.fromEntries<number>(
    [...lines].map(([, address = "", value]) => [address, Number(value)]),
  );
}

test("mbpoll reads the floats of the meter", LIMIT, async (t) => {
  const simulator = await start(t);
  const { port, clock } = simulator;
  const floats = ["-t", "3:float", "-B"];
  const { 0: voltage = 0 } = await mbpoll(port, ...floats, "-r", "0");
  const { 6: current = 0 } = await mbpoll(port, ...floats, "-r", "6");
  const { 12: power = 0 } = await mbpoll(port, ...floats, "-r", "12");
  const first = await mbpoll(port, ...floats, "-r", "70", "-c", "2");
  assert.ok(Math.abs(voltage - 230) < 3);
  assert.ok(Math.abs(voltage * current * 0.95 - power) < 1);
  assert.ok(Math.abs((first[70] ?? 0) - 50) < 0.1);
  await clock.advance(3_600_000);
  const { 72: later = 0 } = await mbpoll(port, ...floats, "-r", "72", "-a", "200");
  const used = later - (first[72] ?? 0);
  assert.ok(used > 1.4 && used < 1.6, `${String(used)} kWh in an hour`);
  assert.equal(simulator.counts().requests, 5);
});

test("mbpoll reads registers and bits", LIMIT, async (t) => {
  const { port } = await start(t);
  assert.deepEqual(await mbpoll(port, "-t", "4", "-r", "0", "-c", "3"), { 0: 1, 1: 60, 2: 0 });
  assert.deepEqual(await mbpoll(port, "-t", "0", "-r", "0", "-c", "2"), { 0: 1, 1: 0 });
  assert.deepEqual(Object.keys(await mbpoll(port, "-t", "1", "-r", "0", "-c", "9")).length, 9);
  assert.equal((await mbpoll(port, "-t", "3", "-r", "127"))[127], 0);
  await assert.rejects(mbpoll(port, "-t", "3", "-r", "128"), /Illegal data address/);
  await assert.rejects(mbpoll(port, "-t", "4", "-r", "63", "-c", "2"), /Illegal data address/);
});

test(
  "answers requests that come in one piece, each with its transaction and unit",
  LIMIT,
  async (t) => {
    const { port } = await start(t);
    const socket = await join(port);
    socket.write(Buffer.concat([frame(258, 3, 0, 1, 0, 1), frame(7, 7, 0, 1, 0, 1)]));
    assert.deepEqual(await take(socket, 20), [
      ...[1, 2, 0, 0, 0, 5, 17, 3, 2, 0, 60],
      ...[0, 7, 0, 0, 0, 3, 17, 0x87, 1],
    ]);
  },
);

test("hangs up on bytes that are no Modbus/TCP, and serves the others on", LIMIT, async (t) => {
  const simulator = await start(t);
  const { port } = simulator;
  const [bad, fine] = [await join(port), await join(port)];
  bad.write("GET / HTTP/1.1\r\n\r\n");
  await ended(bad.resume());
  fine.write(frame(1, 1, 0, 0, 0, 1));
  assert.deepEqual(await take(fine, 10), [0, 1, 0, 0, 0, 4, 17, 1, 1, 1]);
  assert.equal(simulator.counts().requests, 1);
});

test("outlives a client that resets its connection", LIMIT, async (t) => {
  const { port } = await start(t);
  const rude = await join(port);
  rude.write(frame(1, 3, 0, 0, 0, 64));
  rude.resetAndDestroy();
  await ended(rude);
  const socket = await join(port);
  socket.write(frame(1, 1, 0, 0, 0, 1));
  await take(socket, 10);
});

test("hangs up on a client that asks and never reads", LIMIT, async (t) => {
  const { port } = await start(t);
  const socket = await join(port);
  socket.pause();
  const many = Buffer.concat(Array.from({ length: 1000 }, () => frame(1, 4, 0, 0, 0, 125)));
  const closed = ended(socket);
  const push = (): void => {
    while (!socket.destroyed && socket.write(many));
  };
  socket.on("drain", push);
  push();
  await closed;
});

test("takes sixteen connections and no more", LIMIT, async (t) => {
  const { port } = await start(t);
  for (let n = 0; n < 16; n++) await join(port);
  const extra = await join(port);
  await ended(extra.resume());
});

test("close ends the connections and frees the port", LIMIT, async (t) => {
  const first = await start(t);
  const socket = await join(first.port);
  const closed = ended(socket.resume());
  await Promise.all([first.close(), first.close(), closed]);
  await assert.rejects(join(first.port), { code: "ECONNREFUSED" });
});

test("says which devices there are when it does not know one", () => {
  assert.throws(() => modelDevice("toaster", "a"), {
    name: "UnavailableError",
    code: "MODEL_UNKNOWN",
    message: /"toaster".*energy-meter/,
  });
});

test("says how to move when it can't listen", LIMIT, async (t) => {
  const { port } = await start(t);
  await assert.rejects(start(t, { port }), { code: "PORT_TAKEN", message: /--port/ });
  await assert.rejects(start(t, { host: "192.0.2.1" }), {
    code: "ADDRESS_UNAVAILABLE",
    message: /192\.0\.2\.1/,
  });
});

test("units are devices of their own, and a gateway says which are not there", LIMIT, async (t) => {
  const deviceOf = (unit: number) => modelDevice("energy-meter", String(unit));
  const { port } = await start(t, { units: unitsOf([1, 2], deviceOf, () => 0) });
  const float = ["-t", "3:float", "-B", "-r", "72"];
  const [first, second] = [
    await mbpoll(port, ...float, "-a", "1"),
    await mbpoll(port, ...float, "-a", "2"),
  ];
  assert.notEqual(first[72], second[72]);
  await assert.rejects(mbpoll(port, ...float, "-a", "3"), /Target device failed to respond/);
  await runMbpoll(port, ["-t", "4", "-r", "1", "-a", "1", "127.0.0.1", "77"]);
  const words = ["-t", "4", "-r", "1"];
  assert.equal((await mbpoll(port, ...words, "-a", "1"))[1], 77);
  assert.equal((await mbpoll(port, ...words, "-a", "2"))[1], 60);
});
