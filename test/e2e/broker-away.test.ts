/** The broker goes away; polling does not, and nothing is lost. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { followMessages } from "../support/history-told.ts";
import { startMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeFiles } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { startSubscriber, type Received } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { pollsOf, serialPoints } from "./site.ts";

const GATEWAYS = 3;
const INTERVAL = 200;
/** Planned requests of a poll. */
const REQUESTS = 3;
/** Slots that are polled while the broker is away. */
const AWAY = 10;
const NAMES = Array.from({ length: GATEWAYS }, (_, n) => `gateway-${String(n)}`);
const RETAINED = [
  "polling/node/state",
  "polling/node/info",
  "polling/node/health",
  ...NAMES.flatMap((name) => [
    `polling/health/${name}`,
    `polling/meta/${name}`,
    `polling/availability/${name}`,
    `polling/availability/${name}/unit`,
  ]),
];

interface Plant {
  readonly broker: Mosquitto;
  readonly slave: Slave;
  readonly files: NodeFiles;
}

test(
  "P3 P4: while the broker is away polling goes on, and every reading comes afterwards, in order",
  { timeout: 90_000 },
  async (t) => {
    const { broker, slave, files } = await startPlant(t);
    const subscriber = await startSubscriber(t, { port: broker.port, session: "historian" });
    const node = startNode(t, files);
    await pollsOf(subscriber, NAMES, 3);

    await broker.stop("SIGKILL");
    const killed = Date.now();
    await polled(slave, AWAY);
    await broker.restart();
    const from = subscriber.log.length;
    await pollsOf(subscriber, NAMES, AWAY + 3, from);
    const fresh = await startSubscriber(t, { port: broker.port });
    await fresh.until("all retained topics", (log) =>
      RETAINED.every((topic) => log.some((each) => each.retain && each.topic === topic)),
    );
    const before = subscriber.log.length;
    await pollsOf(subscriber, NAMES, 2, before);
    assert.equal(await node.stop(), 0, node.output());

    const { violations } = followMessages({ messages: subscriber.log });
    assert.deepEqual(violations, [], "no reading is missing, none is out of order");
    for (const { slot, replayed, quality, seq } of readings(subscriber.log.slice(from))) {
      assert.equal(quality, "good", `seq ${String(seq)}`);
      if (slot > killed && slot < killed + 5 * INTERVAL) assert.equal(replayed, true, String(seq));
    }
    const last = readings(subscriber.log.slice(before));
    assert.ok(
      last.some(({ replayed }) => replayed === undefined),
      "readings of now are not marked",
    );
  },
);

test(
  "P3 P4: a node that starts while the broker is away polls, and delivers from the first slot on",
  { timeout: 90_000 },
  async (t) => {
    const { broker, slave, files } = await startPlant(t);
    const subscriber = await startSubscriber(t, { port: broker.port, session: "historian" });
    // In order, so that the session of the subscriber is on its disk.
    await broker.stop("SIGTERM");
    const node = startNode(t, files);
    await polled(slave, 5);
    await broker.restart();
    await pollsOf(subscriber, NAMES, 8);
    assert.equal(await node.stop(), 0, node.output());
    const { violations, messages } = followMessages({ messages: subscriber.log });
    assert.deepEqual(violations, []);
    assert.equal(messages.filter(({ from }) => from === 1).length, GATEWAYS);
    const first = readings(subscriber.log).filter(({ seq }) => seq === 1);
    assert.deepEqual(
      first.map(({ replayed }) => replayed),
      Array(GATEWAYS).fill(true),
    );
  },
);

/** A broker that remembers sessions even when it is killed, a slave, and the configuration of a node. */
async function startPlant(t: TestContext): Promise<Plant> {
  const directory = createTempDir(t);
  const memory = join(directory, "broker");
  mkdirSync(memory);
  const broker = await startMosquitto({
    lines: [
      "persistence true",
      `persistence_location ${memory}/`,
      "autosave_on_changes true",
      "autosave_interval 1",
    ],
  });
  t.after(() => broker.remove());
  const slave = await startSlave({ ports: GATEWAYS, logFile: join(directory, "requests.jsonl") });
  t.after(() => slave.stop());
  const files = writeSite(join(directory, "node"), {
    node: "patient",
    mqtt: { broker: broker.url },
    defaults: { interval: `${String(INTERVAL)}ms` },
    gateways: slave.ports.map((port, n) => ({
      id: NAMES[n],
      connection: `tcp://127.0.0.1:${String(port)}`,
      devices: [{ id: "unit", unitId: 1, points: serialPoints }],
    })),
  });
  return { broker, slave, files };
}

/** Settles when the slave has seen so many further polls of every gateway. */
async function polled(slave: Slave, polls: number): Promise<void> {
  const further = slave.ports.map((port) => {
    return slave.received(port, slave.log(port).length + polls * REQUESTS);
  });
  await Promise.all(further);
}

function readings(
  log: readonly Received[],
): { seq: number; slot: number; quality: string; replayed?: boolean }[] {
  return (
    log
      .filter(({ topic }) => topic.includes("/readings/"))
      // As published by the node; a missing key shows.
      .map(({ payload }) => JSON.parse(payload) as ReturnType<typeof readings>[number])
  );
}
