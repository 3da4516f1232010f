/** Rows of the fault table: the broker inside the node, and what its clients do to each other. The witnesses are `mosquitto_sub` and raw sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import mqttPacket from "mqtt-packet";
import { createEmbeddedBus } from "../../src/mqtt/embedded-bus.ts";
import type { Bus } from "../../src/core/ports.ts";
import { createClock } from "../../src/system/clock.ts";
import { messageTo, opened, recordingLog, startChild, type Child } from "../mqtt/peers.ts";
import { faultRow } from "../support/fault-row.ts";
import { freePort } from "../support/mosquitto.ts";

/** Subscribers of one message at most, each with its connection. */
const SUBSCRIBERS = 200;
/** ms that one subscriber may cost the others. */
const LONGEST_SILENCE = 5_000;

faultRow(
  {
    id: "B13a",
    fault: "embedded: one subscriber is frozen",
    done: "one of two subscribers gets SIGSTOP while the node publishes 1500 messages of 8 kB and then one every 50 ms",
    must: "the other gets all of them in order and waits 5 s at most; the frozen one is put out",
  },
  async (t) => {
    const { bus, port, lines } = await startBus(t);
    const frozen = startSubscriber(t, port);
    const healthy = startSubscriber(t, port);
    await firstOf(bus, frozen, healthy);
    frozen.process.kill("SIGSTOP");
    const text = "x".repeat(8000);
    let sent = 0;
    const all: Promise<void>[] = [];
    const send = (): void => {
      sent += 1;
      all.push(bus.publish(messageTo("test/x", `${String(sent)} ${text}`)));
    };
    while (sent < 1500) send();
    const timer = setInterval(send, 50);
    t.after(() => {
      clearInterval(timer);
    });
    let longest = 0;
    let before = performance.now();
    const frozenOne = { isOut: false };
    void lines
      .until(({ text: line }) => line.includes("was dropped"))
      .then(() => (frozenOne.isOut = true));
    for (let seen = 1; !frozenOne.isOut || seen < sent; seen += 1) {
      const line = await healthy.lines.next();
      const now = performance.now();
      longest = Math.max(longest, now - before);
      before = now;
      assert.equal(line.split(" ")[0], String(seen), "in order, none missing");
    }
    clearInterval(timer);
    await Promise.all(all);
    assert.ok(longest <= LONGEST_SILENCE, `${String(longest)} ms of silence`);
    const silence = (longest / 1000).toFixed(1);
    return `${String(sent)} messages in order, the longest silence ${silence} s; the frozen subscriber was put out`;
  },
);

faultRow(
  {
    id: "B13b",
    fault: "embedded: 200 subscribers",
    done: "200 clients subscribe, the node publishes 20 messages",
    must: "each gets each message, in order",
  },
  async (t) => {
    const { bus, port } = await startBus(t);
    const clients = await Promise.all(
      Array.from({ length: SUBSCRIBERS }, (_, n) =>
        startRawSubscriber(t, port, `reader-${String(n)}`),
      ),
    );
    const expected = Array.from({ length: 20 }, (_, n) => String(n));
    const got = clients.map(({ received }) => received(expected.length));
    await Promise.all(expected.map((payload) => bus.publish(messageTo("test/x", payload))));
    for (const payloads of await Promise.all(got)) assert.deepEqual(payloads, expected);
    return `${String(SUBSCRIBERS)} subscribers, ${String(SUBSCRIBERS * expected.length)} deliveries, all in order`;
  },
);

faultRow(
  {
    id: "B13c",
    fault: "embedded: a persistent client is away",
    done: "a client with clean false subscribes and goes; the node publishes 20,000 messages of 1 kB; the client comes back",
    must: "nothing is queued for it: memory stays flat, and it gets what comes from then on",
  },
  async (t) => {
    const { bus, port } = await startBus(t);
    const away = await startRawSubscriber(t, port, "historian", false);
    away.socket.destroy();
    await once(away.socket, "close");
    const payload = "x".repeat(1000);
    const before = heapInUse();
    for (let lot = 0; lot < 200; lot += 1) {
      const messages = Array.from({ length: 100 }, () => bus.publish(messageTo("test/x", payload)));
      await Promise.all(messages);
    }
    const grown = heapInUse() - before;
    const back = await startRawSubscriber(t, port, "historian", false);
    const first = back.received(1);
    await bus.publish(messageTo("test/x", "now"));
    assert.deepEqual(await first, ["now"]);
    assert.ok(grown < 15e6, `the heap grew by ${String(grown)} bytes`);
    return `nothing of 20 MB was kept for it (heap ${(Math.max(0, grown) / 1e6).toFixed(1)} MB up)`;
  },
);

/** Bytes of what lives, without the garbage that each version of V8 leaves for another time. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  // What the flag puts into a new context.
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

async function startBus(
  t: TestContext,
): Promise<{ bus: Bus; port: number; lines: ReturnType<typeof recordingLog>["lines"] }> {
  const port = await freePort();
  const { log, lines } = recordingLog();
  const bus = createEmbeddedBus({
    ...{ host: "127.0.0.1", port, log, commandFilter: "test/cmd/+", clock: createClock() },
    will: messageTo("test/node/state", "offline", { retain: true }),
  });
  t.after(() => bus.close());
  await opened(bus);
  return { bus, port, lines };
}

function startSubscriber(t: TestContext, port: number): Child {
  const args = [
    "-p",
    String(port),
    "-V",
    "mqttv311",
    "-q",
    "1",
    "-t",
    "test/x",
    "-t",
    "test/hello",
  ];
  return startChild(t, "stdbuf", ["-oL", "mosquitto_sub", ...args]);
}

/** Settles when both have got their first message: a retained one, which waits for their subscription. */
async function firstOf(bus: Bus, ...children: readonly Child[]): Promise<void> {
  await bus.publish(messageTo("test/hello", "hello", { retain: true }));
  for (const child of children) assert.equal(await child.lines.next(), "hello");
}

/** A client of a few bytes of memory: 200 real programs would be a test of this machine. */
async function startRawSubscriber(
  t: TestContext,
  port: number,
  clientId: string,
  clean = true,
): Promise<{ socket: Socket; received: (count: number) => Promise<string[]> }> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  socket.on("data", (bytes) => parser.parse(bytes));
  const payloads: string[] = [];
  let look = (): void => undefined;
  const subscribed = new Promise<void>((resolve) => {
    parser.on("packet", (packet) => {
      if (packet.cmd === "connack") {
        const subscriptions = [{ topic: "test/x", qos: 1 as const }];
        socket.write(mqttPacket.generate({ cmd: "subscribe", messageId: 1, subscriptions }));
      } else if (packet.cmd === "suback") {
        resolve();
      } else if (packet.cmd === "publish") {
        payloads.push(packet.payload.toString());
        const { messageId } = packet;
        if (messageId !== undefined)
          socket.write(mqttPacket.generate({ cmd: "puback", messageId }));
        look();
      }
    });
  });
  socket.write(mqttPacket.generate({ cmd: "connect", clientId, clean, keepalive: 60 }));
  await subscribed;
  return {
    socket,
    received: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (payloads.length >= count) resolve(payloads);
        };
        look();
      }),
  };
}
