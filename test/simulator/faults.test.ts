/**
 * Every fault as a raw client sees it: what the simulator sends is what the slaves of the test kit send,
 * byte for byte, though each has a codec of its own.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { AnswerFault, FaultScript, LineFault } from "../../src/core/fault.ts";
import { imageDevice } from "../../src/simulator/image-device.ts";
import { lineOutgoing } from "../../src/simulator/line-faults.ts";
import { LineSimulator } from "../../src/simulator/line-server.ts";
import { randomOf } from "../../src/simulator/random.ts";
import { tcpOutgoing } from "../../src/simulator/tcp-faults.ts";
import { startSimulator, type Simulator } from "../../src/simulator/tcp-server.ts";
import { anyUnit } from "../../src/simulator/units.ts";
import { createClock } from "../../src/system/clock.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { startLineSlave } from "../support/line-slave.ts";
import { startSlave } from "../support/slave.ts";
import { createTempDir } from "../support/temp-dir.ts";

const LIMIT = { timeout: 120_000 };
/** As the kit's slaves have them: registers hold their own address. */
const REGISTERS = imageDevice("addresses", [
  { table: "holding", entries: new Map(Array.from({ length: 256 }, (_, at) => [at, at])) },
]);
/** Two registers of unit 1, and one more. */
const FIRST = Buffer.from("01010000000601030010" + "0002", "hex");
const SECOND = Buffer.from("02020000000601030020" + "0001", "hex");
const FIRST_RTU = Buffer.from("010300100002c5ce", "hex");
const SECOND_RTU = Buffer.from("01030020000185c0", "hex");

/** How many bytes there are before the second request, and in all; null: the connection ends. */
type Lengths = readonly [first: number, all: number | null];
type Case<F> = readonly [fault: F, lengths: Lengths];
type CasesOf<F extends { kind: string }> = Readonly<
  Record<F["kind"], Case<F> | readonly Case<F>[]>
>;

const TCP: CasesOf<AnswerFault> = {
  normal: [{ kind: "normal" }, [13, 24]],
  silent: [{ kind: "silent" }, [0, 11]],
  hold: [{ kind: "hold" }, [0, 24]],
  delay: [{ kind: "delay", ms: 30 }, [13, 24]],
  late: [{ kind: "late", ms: 30 }, [13, 24]],
  exception: [{ kind: "exception", code: 6 }, [9, 20]],
  garbage: [
    [{ kind: "garbage" }, [10, 21]],
    [{ kind: "garbage", hex: "0102" }, [2, 13]],
  ],
  truncated: [{ kind: "truncated" }, [7, 18]],
  split: [{ kind: "split" }, [13, 24]],
  duplicate: [{ kind: "duplicate" }, [26, 37]],
  "wrong-unit": [{ kind: "wrong-unit" }, [13, 24]],
  "wrong-function": [{ kind: "wrong-function" }, [13, 24]],
  "wrong-bytecount": [{ kind: "wrong-bytecount" }, [11, 22]],
  unasked: [{ kind: "unasked" }, [13, 32]],
  "wrong-tid": [{ kind: "wrong-tid" }, [13, 24]],
  "wrong-protocol": [{ kind: "wrong-protocol" }, [13, 24]],
  "wrong-length": [{ kind: "wrong-length", length: 3 }, [13, 24]],
  extra: [{ kind: "extra" }, [33, 44]],
  glued: [{ kind: "glued" }, [26, 37]],
  close: [
    [{ kind: "close", at: "before" }, [0, null]],
    [{ kind: "close", at: "middle" }, [6, null]],
    [{ kind: "close", at: "after" }, [13, null]],
  ],
  rst: [
    [{ kind: "rst", at: "before" }, [0, null]],
    [{ kind: "rst", at: "after" }, [13, null]],
  ],
};

const LINE: CasesOf<LineFault> = {
  normal: [{ kind: "normal" }, [9, 16]],
  silent: [{ kind: "silent" }, [0, 7]],
  hold: [{ kind: "hold" }, [0, 16]],
  delay: [{ kind: "delay", ms: 30 }, [9, 16]],
  exception: [{ kind: "exception", code: 6 }, [5, 12]],
  garbage: [{ kind: "garbage" }, [10, 17]],
  truncated: [{ kind: "truncated" }, [4, 11]],
  split: [{ kind: "split" }, [9, 16]],
  duplicate: [{ kind: "duplicate" }, [18, 25]],
  "wrong-unit": [{ kind: "wrong-unit" }, [9, 16]],
  "wrong-function": [{ kind: "wrong-function" }, [9, 16]],
  "wrong-bytecount": [{ kind: "wrong-bytecount" }, [7, 14]],
  "bad-crc": [{ kind: "bad-crc" }, [9, 16]],
  "noise-before": [{ kind: "noise-before" }, [11, 18]],
  "noise-inside": [{ kind: "noise-inside", hex: "aa" }, [10, 17]],
  "noise-after": [{ kind: "noise-after" }, [11, 18]],
  "noise-later": [{ kind: "noise-later" }, [11, 18]],
  echo: [{ kind: "echo" }, [17, 24]],
  "echo-first": [{ kind: "echo-first" }, [17, 24]],
  master: [{ kind: "master" }, [24, 31]],
};

function casesOf<F extends { kind: string }>(all: CasesOf<F>): Case<F>[] {
  return Object.values<Case<F> | readonly Case<F>[]>(all).flatMap(
    (each) =>
      // A case begins with its fault, a list of cases with a case.
      (Array.isArray(each[0]) ? each : [each]) as Case<F>[],
  );
}

interface Seen {
  readonly hex: string;
  readonly ended: "not" | "end" | "reset";
}

/** A client that knows nothing of Modbus. */
class RawClient {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #ended: Seen["ended"] = "not";

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
    socket.on("error", () => (this.#ended = "reset"));
    socket.on("end", () => (this.#ended = "end"));
  }

  static async join(t: TestContext, port: number): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    await once(socket, "connect");
    return new RawClient(socket);
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async received(length: number): Promise<void> {
    while (this.#bytes.length < length) await once(this.#socket, "data");
  }

  async closed(): Promise<void> {
    if (!this.#socket.closed) await new Promise((resolve) => this.#socket.once("close", resolve));
  }

  seen(): Seen {
    const hex = this.#bytes.toString("hex");
    // A reset that comes together with bytes is told as an end by Node.js.
    return { hex, ended: this.#ended === "reset" && hex !== "" ? "end" : this.#ended };
  }
}

async function observe(
  client: RawClient,
  [first, all]: Lengths,
  requests: readonly [Buffer, Buffer],
): Promise<Seen> {
  client.send(requests[0]);
  await client.received(first);
  if (all === null) await client.closed();
  else {
    client.send(requests[1]);
    await client.received(all);
  }
  return client.seen();
}

async function simulator(
  t: TestContext,
  scripts: readonly FaultScript[],
  clock = createClock(),
): Promise<Simulator> {
  const units = anyUnit(REGISTERS, () => 0);
  const random = randomOf("a");
  const made = await startSimulator({ host: "127.0.0.1", port: 0, units, clock, random, scripts });
  t.after(() => made.close());
  return made;
}

test("over TCP every fault is that of the kit's slave, byte for byte", LIMIT, async (t) => {
  const slave = await startSlave({ ports: 1, logFile: join(createTempDir(t), "slave.jsonl") });
  t.after(() => slave.stop());
  const [port = 0] = slave.ports;
  for (const [fault, lengths] of casesOf(TCP)) {
    const script = { steps: [{ ...fault, requests: 1 }] };
    await slave.play(port, script);
    const expected = await observe(await RawClient.join(t, port), lengths, [FIRST, SECOND]);
    const own = await simulator(t, [script]);
    const seen = await observe(await RawClient.join(t, own.port), lengths, [FIRST, SECOND]);
    assert.deepEqual(seen, expected, JSON.stringify(fault));
    assert.equal(seen.hex.length, 2 * (lengths[1] ?? lengths[0]), JSON.stringify(fault));
    assert.equal(own.counts().faults, fault.kind === "normal" ? 0 : 1);
  }
});

/** What the simulator sends on a line, the clock in hand. */
async function observeLine(script: FaultScript<LineFault>): Promise<string> {
  const clock = createFakeClock();
  const sent: Buffer[] = [];
  const line = new LineSimulator({
    send: (bytes) => sent.push(bytes),
    silence: 1.75,
    units: anyUnit(REGISTERS, () => 0),
    ...{ clock, random: randomOf("a"), scripts: [script] },
  });
  for (const request of [FIRST_RTU, SECOND_RTU]) {
    line.received(request);
    await clock.advance(1000);
  }
  line.close();
  return Buffer.concat(sent).toString("hex");
}

test("on a line every fault is that of the kit's units, byte for byte", LIMIT, async (t) => {
  const slave = await startLineSlave(t, { tcp: true });
  const client = await RawClient.join(t, slave.port);
  let before = 0;
  for (const [fault, [first, all]] of casesOf(LINE)) {
    const script = { steps: [{ ...fault, requests: 1 }] };
    await slave.play(script);
    const end = before + (all ?? 0);
    const { hex } = await observe(client, [before + first, end], [FIRST_RTU, SECOND_RTU]);
    assert.equal(await observeLine(script), hex.slice(2 * before), JSON.stringify(fault));
    before = end;
  }
});

test("an answer with a wrong byte count is right for no count of registers or bits", () => {
  const fault = { kind: "wrong-bytecount" } as const;
  const right = Buffer.of(0x83, 3);
  for (const [asked, expected, sent] of [
    ["0300100001", 2, "030400070007"],
    ["0300100002", 4, "03020007"],
    ["0400100001", 2, "040400070007"],
    ["0100100001", 1, "01020007"],
    ["0200100009", 2, "020400070007"],
    ["0100100010", 2, "010400070007"],
    ["0100100011", 3, "01020007"],
  ] as const) {
    const pdu = Buffer.from(asked, "hex");
    const random = randomOf("a");
    const tcp = tcpOutgoing({ transaction: 1, unitId: 1, pdu }, right, fault, random);
    const line = lineOutgoing({ unitId: 1, pdu }, right, fault, random);
    const bodies = [tcp.pieces[0]?.bytes.subarray(7), line.pieces[0]?.bytes.subarray(1, -2)];
    assert.deepEqual(
      bodies.map((body) => body?.toString("hex")),
      [sent, sent],
      asked,
    );
    assert.notEqual(Number.parseInt(sent.slice(2, 4), 16), expected, asked);
  }
});

test(
  "registers, units, repeats and counts hold for the same requests as in the kit",
  LIMIT,
  async (t) => {
    const slave = await startSlave({ ports: 1, logFile: join(createTempDir(t), "slave.jsonl") });
    t.after(() => slave.stop());
    const [port = 0] = slave.ports;
    const scripts: FaultScript[] = [
      {
        repeat: true,
        steps: [
          { kind: "normal", requests: 2 },
          { kind: "exception", code: 1, requests: 1 },
        ],
      },
      { unit: 2, steps: [{ kind: "exception", code: 2, requests: 3 }] },
      {
        registers: { table: "holding", address: 50, count: 2 },
        steps: [{ kind: "exception", code: 3 }],
      },
    ];
    for (const script of scripts) await slave.play(port, script);
    const own = await simulator(t, scripts);
    const asked = [1, 1, 1, 2, 2, 1, 1, 1, 2, 2, 2].map((unit) => [unit, 20, 1] as const);
    const touching = [
      [1, 48, 2],
      [2, 49, 2],
      [1, 51, 3],
      [1, 52, 1],
    ] as const;
    const seen = await Promise.all(
      [port, own.port].map(async (each) => {
        const client = await RawClient.join(t, each);
        const answers: string[] = [];
        let before = 0;
        for (const [unit, address, count] of [...asked, ...touching]) {
          client.send(Buffer.from([0, 0, 0, 0, 0, 6, unit, 3, 0, address, 0, count]));
          await client.received(before + 9);
          const answer = client.seen().hex.slice(2 * before);
          answers.push(answer.slice(14));
          before += answer.length / 2;
        }
        return answers;
      }),
    );
    assert.deepEqual(seen[1], seen[0]);
    const exceptions = seen[1]?.map((pdu) => (pdu.startsWith("83") ? Number(pdu.slice(2)) : 0));
    assert.deepEqual(exceptions, [0, 0, 1, 2, 2, 0, 0, 1, 2, 0, 0, 0, 3, 3, 0]);
  },
);

async function refused(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const [error] = await Promise.race([once(socket, "error"), once(socket, "connect")]);
  socket.destroy();
  return error !== undefined;
}

/** Lets time pass until something has come of it. */
async function until(clock: FakeClock, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await clock.settle();
}

test("a port that refuses listens again when the fault ends", LIMIT, async (t) => {
  const clock = createFakeClock();
  const steps = [
    { kind: "normal", for: 1000 },
    { kind: "refuse", for: 5000 },
  ] as const;
  const { port } = await simulator(t, [{ steps }], clock);
  const client = await RawClient.join(t, port);
  client.send(FIRST);
  await client.received(13);
  await clock.advance(1000);
  await client.closed();
  assert.ok(await refused(port));
  await clock.advance(5000);
  await until(clock, async () => !(await refused(port)));
});

test("a port that stalls takes up what has come when the fault ends", LIMIT, async (t) => {
  const clock = createFakeClock();
  const own = await simulator(t, [{ steps: [{ kind: "stall", for: 5000 }] }], clock);
  const client = await RawClient.join(t, own.port);
  client.send(FIRST);
  await clock.advance(4999);
  assert.equal(own.counts().requests, 0);
  await clock.advance(1);
  await client.received(13);
});

test(
  "a device with one connection turns others away, and one that is idle hangs up",
  LIMIT,
  async (t) => {
    const single = await simulator(t, [{ steps: [{ kind: "one-connection" }] }]);
    const client = await RawClient.join(t, single.port);
    client.send(FIRST);
    await client.received(13);
    const other = connect(single.port, "127.0.0.1").on("error", () => undefined);
    await new Promise((resolve) => other.once("close", resolve));
    client.send(SECOND);
    await client.received(24);
    const idle = await simulator(t, [{ steps: [{ kind: "close-idle", ms: 50 }] }]);
    const quiet = await RawClient.join(t, idle.port);
    await quiet.closed();
    assert.equal(quiet.seen().ended, "end");
  },
);

test("a late answer goes to who is there by then", LIMIT, async (t) => {
  const clock = createFakeClock();
  const steps = [{ kind: "late", ms: 700, requests: 1 }] as const;
  const own = await simulator(t, [{ steps }], clock);
  const gone = await RawClient.join(t, own.port);
  gone.send(FIRST);
  while (own.counts().requests === 0) await clock.settle();
  gone.destroy();
  const next = await RawClient.join(t, own.port);
  for (const length of [11, 22]) {
    next.send(SECOND);
    await next.received(length);
  }
  await clock.advance(700);
  await next.received(35);
  assert.match(next.seen().hex, /^(0202.{18}){2}0101/);
});

test("the same seed brings the same chance", () => {
  const draw = (seed: string) => Array.from({ length: 100 }, randomOf(seed));
  assert.deepEqual(draw("a"), draw("a"));
  assert.notDeepEqual(draw("a"), draw("b"));
  assert.ok(draw("a").every((each) => each >= 0 && each < 1));
  assert.ok(Math.max(...draw("a")) - Math.min(...draw("a")) > 0.8);
});

test("a jittered delay is as long as it says, and up to so much more", LIMIT, async () => {
  const clock = createFakeClock();
  const at: number[] = [];
  const line = new LineSimulator({
    send: () => at.push(clock.elapsed()),
    silence: 0,
    units: anyUnit(REGISTERS, () => 0),
    ...{ clock, random: randomOf("a") },
    scripts: [{ steps: [{ kind: "delay", ms: 100, jitter: 50 }] }],
  });
  const waits: number[] = [];
  for (let n = 0; n < 50; n++) {
    const asked = clock.elapsed();
    line.received(FIRST_RTU);
    await clock.advance(200);
    waits.push((at.at(-1) ?? 0) - asked);
  }
  line.close();
  assert.equal(at.length, 50);
  assert.ok(Math.min(...waits) >= 100 && Math.max(...waits) <= 150, String(waits));
  assert.ok(Math.max(...waits) - Math.min(...waits) > 30, String(waits));
});
