/** Rows of the fault table: bugs in edgepoll itself. The witnesses are the slave's log and a separate subscriber. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { delivered, pollsOf, publish, serialPoints, wireOf } from "../e2e/site.ts";
import { withBugs, type Bug } from "../support/bugs.ts";
import { faultRow } from "../support/fault-row.ts";
import { checkHistory } from "../support/history.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeFiles, type NodeProcess } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

const INTERVAL = 250;
const NAMES = ["one", "two", "three"];

interface Plant {
  readonly test: TestContext;
  readonly broker: Mosquitto;
  readonly slave: Slave;
  readonly files: NodeFiles;
  readonly subscriber: Subscriber;
}

faultRow(
  {
    id: "K12a",
    fault: "a callback throws: what a device sends, the publish",
    done: "between the node and its libraries stands a test: the callback that takes an answer throws, then the one that publishes",
    must: "each is logged, counted and told; the slot is bad, what was not published is; the node polls and publishes as before",
  },
  async (t) => {
    const plant = await startPlant(t);
    const node = await started(plant, ["poll", "publish"]);
    await met(plant, node, "poll");
    await met(plant, node, "publish");
    assert.deepEqual(await mishaps(plant), { errors: 2, restarts: undefined });
    assert.equal(await node.stop(), 0, node.output());
    const counts = await verdict(plant);
    assert.ok(counts.bad > 0, "the slot that met the bug is bad");
    return `2 bugs, 2 logged and told; ${textOf(counts)}`;
  },
);

faultRow(
  {
    id: "K12b",
    fault: "a callback throws: a command, the timer of the scheduler; then a third within a minute",
    done: "between the node and its libraries stands a test: the callback that takes a command throws, then the timer that begins the slots, then a command again",
    must: "each is logged, counted and told; the schedules are restarted, the node polls and obeys as before; the third ends it with 70, and every slot is accounted for",
  },
  async (t) => {
    const plant = await startPlant(t);
    const node = await started(plant, ["message", "timer", "message"]);
    await met(plant, node, "message");
    await met(plant, node, "timer");
    const { restarts = 0, errors } = await mishaps(plant);
    assert.deepEqual([restarts, errors], [NAMES.length, 2]);
    node.signal("SIGUSR2");
    await node.said(/armed message[^]*armed message/);
    await publish(plant.broker.port, "polling/cmd/status", "{}");
    assert.deepEqual(await node.exit, { code: 70, signal: null });
    const counts = await verdict(plant);
    return `3 bugs, ${String(restarts)} schedules restarted, exit 70 after the third; ${textOf(counts)}`;
  },
);

/** Has a bug met, and settles when the node has told of it and goes on with all it does. */
async function met(plant: Plant, node: NodeProcess, bug: Bug): Promise<void> {
  const { subscriber, broker } = plant;
  const from = subscriber.log.length;
  node.signal("SIGUSR2");
  await node.said(new RegExp(`armed ${bug}`));
  if (bug === "message") await publish(broker.port, "polling/cmd/status", "{}");
  await node.said(new RegExp(`an error in edgepoll itself.*a bug of the test: ${bug}`));
  await subscriber.first("the event", ({ topic, payload }) => isTold(topic, payload, bug), from);
  await pollsOf(subscriber, NAMES, 2, subscriber.log.length);
}

function isTold(topic: string, payload: string, bug: Bug): boolean {
  return topic === "polling/node/events" && payload.includes(`a bug of the test: ${bug}`);
}

/** What the node counts, as it answers over MQTT. */
async function mishaps({ subscriber, broker }: Plant) {
  const from = subscriber.log.length;
  await publish(broker.port, "polling/cmd/status", "{}");
  const topic = "polling/reply/status";
  const reply = await subscriber.first("a reply", (each) => each.topic === topic, from);
  // As the node answers to `status`.
  const { data } = jsonOf<{ data: { node: { errors?: number; restarts?: number } } }>(reply);
  const { errors, restarts } = data.node;
  return { errors, restarts };
}

async function started(plant: Plant, bugs: readonly Bug[]): Promise<NodeProcess> {
  const from = plant.subscriber.log.length;
  const node = startNode(plant.test, plant.files, {}, withBugs(createTempDir(plant.test), bugs));
  await node.started;
  await pollsOf(plant.subscriber, NAMES, 2, from);
  return node;
}

async function startPlant(t: TestContext): Promise<Plant> {
  const directory = createTempDir(t);
  const logFile = join(directory, "requests.jsonl");
  const slave = await startSlave({ ports: NAMES.length, logFile });
  t.after(() => slave.stop());
  const broker = await startMosquitto();
  t.after(() => broker.remove());
  const files = writeSite(join(directory, "node"), {
    node: "buggy",
    mqtt: { broker: broker.url },
    defaults: { interval: `${String(INTERVAL)}ms`, retries: 0 },
    gateways: slave.ports.map((port, n) => ({
      id: NAMES[n],
      connection: `tcp://127.0.0.1:${String(port)}`,
      devices: [{ id: "unit", unitId: 1, points: serialPoints }],
    })),
  });
  const subscriber = await startSubscriber(t, { port: broker.port });
  return { test: t, broker, slave, files, subscriber };
}

interface Counts {
  readonly readings: number;
  readonly bad: number;
  readonly missed: number;
}

/** Holds the slave's log, the subscriber's and the ledger against each other. */
async function verdict({ broker, slave, files, subscriber }: Plant): Promise<Counts> {
  await delivered(subscriber, broker.port);
  const ledger = await readLedger(files.stateDir);
  const requests = wireOf(slave, (n) => NAMES[n] ?? "");
  const intervals = new Map(NAMES.map((name) => [name, INTERVAL]));
  const history = { intervals, kills: 0, requests, messages: subscriber.log, ledger };
  const { violations, counts } = checkHistory(history);
  assert.deepEqual(violations, []);
  assert.equal(counts.unknown, 0);
  const { readings, missed } = counts;
  const isBad = ({ topic, payload }: { topic: string; payload: string }) =>
    topic.includes("/readings/") && !payload.includes('"quality":"good"');
  return { readings, missed, bad: subscriber.log.filter(isBad).length };
}

function textOf({ readings, bad, missed }: Counts): string {
  return `${String(readings)} readings, ${String(bad)} not good; ${String(missed)} slots missed, none unknown`;
}
