/** How a node starts, ends, and starts again. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { followMessages } from "../support/history-told.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { jsonOf, startSubscriber, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { createPlant, IDS, type Plant } from "./plant.ts";
import { delivered, pollsOf, serialPoints } from "./site.ts";

const LIMIT = { timeout: 60_000 };
const STATE = "polling/node/state";

test(
  "P2: SIGTERM in a poll ends it, leaves no slot unknown, and says offline",
  LIMIT,
  async (t) => {
    const { plant, historian } = await startedPlant(t, { interval: "600ms" });
    const [port = 0] = plant.slave.ports;
    await plant.slave.fault(port, { kind: "hold" });
    await plant.slave.received(port, plant.slave.log(port).length + 1);
    const sent = plant.slave.log(port).length;
    const begun = Date.now();
    assert.equal(await plant.node.stop(), 0, plant.node.output());
    assert.ok(Date.now() - begun < 15_000);
    assert.equal(plant.slave.log(port).length, sent, "nothing is sent after the request in flight");
    const late = await startSubscriber(t, { port: plant.port, filter: STATE });
    const { retain, payload } = await late.first("the retained state", () => true);
    assert.deepEqual({ retain, payload }, { retain: true, payload: "offline" });
    const reading = historian.log.findLast(({ topic }) => topic === "polling/readings/one/unit");
    assert.ok(reading?.payload.includes('{"reason":"stopped"}'), reading?.payload);

    await plant.slave.fault(port, { kind: "normal" });
    const from = historian.log.length;
    // So long that every gateway misses a slot.
    await pass(1200);
    await plant.start();
    await Promise.all(IDS.map((id) => plant.polled(id, 2)));
    assert.equal(await plant.node.stop(), 0, plant.node.output());
    await delivered(historian, plant.port);
    assert.deepEqual(followMessages({ messages: historian.log }).violations, []);
    const { messages } = followMessages({ messages: historian.log.slice(from) });
    const down = messages.filter(({ outcome }) => outcome === "missed:down");
    assert.deepEqual(down.map(({ gateway }) => gateway).sort(), [...IDS].sort(), "one gap each");
    for (const { entries } of await readLedger(plant.files.stateDir)) {
      assert.ok(!entries.some(({ outcome }) => outcome.startsWith("unknown")));
    }
  },
);

test(
  "a node that hangs in a request ends within 15 s, or at once at a second signal",
  LIMIT,
  async (t) => {
    const { plant } = await startedPlant(t, { interval: "300ms", timeout: "10s", retries: 0 });
    const [port = 0] = plant.slave.ports;
    const hang = async (): Promise<void> => {
      await plant.slave.fault(port, { kind: "hold" });
      await plant.slave.received(port, plant.slave.log(port).length + 1);
      plant.node.signal("SIGTERM");
      await plant.node.said(/"ending"/);
    };
    await hang();
    plant.node.signal("SIGTERM");
    assert.deepEqual(await plant.node.exit, { code: 1, signal: null });
    await plant.slave.fault(port, { kind: "normal" });
    await plant.start();
    await plant.polled("one", 1);
    const begun = Date.now();
    await hang();
    assert.deepEqual(await plant.node.exit, { code: 0, signal: null });
    assert.ok(Date.now() - begun < 15_000, `it took ${String(Date.now() - begun)} ms`);
  },
);

test(
  "P1: a second node on the same state or the same endpoint does not start",
  LIMIT,
  async (t) => {
    const { plant } = await startedPlant(t);
    const same = startNode(t, plant.files);
    assert.equal((await same.exit).code, 75, same.output());
    assert.match(same.output(), new RegExp(`pid ${String(plant.node.pid)}\\b`));

    const directory = createTempDir(t);
    const port = plant.slave.ports[1] ?? 0;
    const files = writeSite(directory, {
      node: "rival",
      mqtt: { broker: `mqtt://127.0.0.1:${String(plant.port)}`, baseTopic: "rival" },
      gateways: [gatewayAt("other-name", `tcp://localhost:${String(port)}`)],
    });
    const rival = startNode(t, files);
    assert.equal((await rival.exit).code, 75, rival.output());
    assert.match(rival.output(), new RegExp(`pid ${String(plant.node.pid)}\\b`));
    await plant.polled("two", 2);
    await plant.node.kill();
    const heir = startNode(t, files);
    await heir.started;
    assert.equal(await heir.stop(), 0, heir.output());
  },
);

test("P1: of several nodes started at once exactly one runs", LIMIT, async (t) => {
  const plant = await createPlant(t, "external");
  for (let round = 0; round < 3; round += 1) {
    const nodes = [1, 2, 3, 4].map(() => startNode(t, plant.files));
    const winner = await Promise.any(nodes.map((node) => node.started.then(() => node)));
    const losers = nodes.filter((node) => node !== winner);
    for (const loser of losers) assert.equal((await loser.exit).code, 75, loser.output());
    await plant.polled("one", 1);
    assert.equal(await winner.stop(), 0, winner.output());
  }
});

test(
  "P1 P2: a process that was held up polls no slot afterwards, and says which it missed",
  LIMIT,
  async (t) => {
    const { plant, historian } = await startedPlant(t);
    plant.node.signal("SIGSTOP");
    // Several slots long.
    await pass(1500);
    const before = IDS.map((id) => plant.polls(id));
    const from = historian.log.length;
    plant.node.signal("SIGCONT");
    await pollsOf(historian, IDS, 2, from);
    const { messages } = followMessages({ messages: historian.log.slice(from) });
    for (const [n, id] of IDS.entries()) {
      const own = messages.filter(({ gateway }) => gateway === id);
      // Busy where the stop met a request in flight, which is not settled before the pass that finds them.
      const late = own.filter(({ outcome }) => /^missed:(late|busy)$/.test(outcome));
      const slots = late.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0);
      assert.ok(slots >= 5, `${id} missed ${String(slots)} slots`);
      const readings = own.filter(({ outcome }) => !outcome.includes(":")).length;
      assert.ok(plant.polls(id) - (before[n] ?? 0) <= readings + 2, `${id} was polled in a burst`);
    }
    assert.deepEqual(followMessages({ messages: historian.log }).violations, []);
  },
);

test("P7: the broker tells that a node was killed", LIMIT, async (t) => {
  const { plant } = await startedPlant(t);
  const from = plant.subscriber.log.length;
  await plant.node.kill();
  assert.equal((await plant.reply(STATE, from)).payload, "offline");
  const late = await startSubscriber(t, { port: plant.port, filter: STATE });
  const { retain, payload } = await late.first("the retained state", () => true);
  assert.deepEqual({ retain, payload }, { retain: true, payload: "offline" });
  await plant.start();
  await plant.subscriber.first(
    "online",
    (each) => each.topic === STATE && each.payload === "online",
  );
});

test(
  "a taken port of the embedded broker ends the start with 69 and names the port",
  LIMIT,
  async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const files = writeSite(createTempDir(t), {
      mqtt: { embedded: { port } },
      gateways: [gatewayAt("one", "simulator://energy-meter")],
    });
    const node = startNode(t, files);
    assert.equal((await node.exit).code, 69, node.output());
    assert.match(node.output(), new RegExp(`\\b${String(port)}\\b`));
  },
);

test("P2: a restart within the grace costs no slot and keeps the grid", LIMIT, async (t) => {
  const interval = 4000;
  const { plant, historian } = await startedPlant(t, { interval: `${String(interval)}ms` });
  const isReading = ({ topic }: { topic: string }): boolean =>
    topic === "polling/readings/one/unit";
  const { slot } = jsonOf<{ slot: number }>(await historian.first("a reading", isReading));
  // Just before the next slot is claimed, which happens at most 250 ms ahead.
  await pass(slot + interval - 280 - Date.now());
  const from = historian.log.length;
  await plant.node.kill();
  await plant.start();
  await historian.first("the next reading", isReading, from);
  await historian.first("the reading after it", isReading, historian.log.length);
  const { violations, messages } = followMessages({ messages: historian.log });
  assert.deepEqual(violations, []);
  const own = messages.filter(({ gateway }) => gateway === "one");
  assert.deepEqual(
    own.map(({ outcome }) => outcome),
    ["good", "good", "good"],
  );
  assert.deepEqual(
    own.map((each) => each.slot),
    [0, 1, 2].map((n) => slot + n * interval),
  );
});

/** A plant that polls, and a subscriber that was there before the first reading. */
async function startedPlant(
  t: TestContext,
  timing?: object,
): Promise<{ plant: Plant; historian: Subscriber }> {
  const plant = await createPlant(t, "external", timing);
  const historian = await startSubscriber(t, { port: plant.port, filter: "polling/#" });
  await plant.start();
  await Promise.all(IDS.map((id) => plant.polled(id, 1)));
  return { plant, historian };
}

function gatewayAt(id: string, connection: string): object {
  return { id, connection, devices: [{ id: "unit", unitId: 1, points: serialPoints }] };
}
