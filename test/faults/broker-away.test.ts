/** Rows of the fault table: the broker goes away. The witnesses are the slave's log, a separate subscriber and Mosquitto. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import mqtt from "mqtt";
import { delivered, pollsOf, serialPoints, wireOf } from "../e2e/site.ts";
import { Rig } from "../engine/rig.ts";
import { toldOn } from "../engine/reading.ts";
import { watchProcess } from "../soak/process-facts.ts";
import { faultRow } from "../support/fault-row.ts";
import { checkHistory, type Verdict } from "../support/history.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeFiles, type NodeProcess } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Received, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

const GATEWAYS = 3;
const INTERVAL = 200;
/** Planned requests of a poll. */
const REQUESTS = 3;
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

faultRow(
  {
    id: "B1a",
    fault: "killed, and started again after some seconds",
    done: "the retained messages are cleared, Mosquitto gets SIGKILL, is away for 10 slots, and starts without them",
    must: "polling is untouched; every reading comes, in order, marked as replayed when late; the retained state is there again, and that of now",
  },
  async (t) => {
    const plant = await startPlant(t);
    const { broker, slave, files } = plant;
    const subscriber = await startSubscriber(t, { port: broker.port, session: "historian" });
    const node = startNode(t, files);
    await pollsOf(subscriber, NAMES, 3);

    await clearRetained(broker);
    // Mosquitto writes what changed to its disk with what comes next.
    await pollsOf(subscriber, NAMES, 2, subscriber.log.length);
    await broker.stop("SIGKILL");
    const killed = Date.now();
    await polled(slave, 10);
    await broker.restart();
    const from = subscriber.log.length;
    await pollsOf(subscriber, NAMES, 13, from);
    const fresh = await startSubscriber(t, { port: broker.port });
    await fresh.until("all retained topics", (log) =>
      RETAINED.every((topic) => log.some((each) => each.retain && each.topic === topic)),
    );
    const health = await fresh.first("health", ({ topic }) => topic === "polling/node/health");
    assert.equal("away" in jsonOf<{ mqtt: object }>(health).mqtt, false, "health is that of now");
    const before = subscriber.log.length;
    await pollsOf(subscriber, NAMES, 2, before);
    const { counts } = await verdictOf(node, plant, subscriber);

    const late = readings(subscriber.log.slice(from));
    for (const { slot, replayed, quality, seq } of late) {
      assert.equal(quality, "good", `seq ${String(seq)}`);
      if (slot > killed && slot < killed + 5 * INTERVAL) assert.equal(replayed, true, String(seq));
    }
    const last = readings(subscriber.log.slice(before));
    assert.ok(
      last.some(({ replayed }) => replayed === undefined),
      "readings of now are not marked",
    );
    return seenOf(counts, late.filter(({ replayed }) => replayed === true).length);
  },
);

faultRow(
  {
    id: "B1b",
    fault: "not there when the node starts",
    done: "Mosquitto is stopped, the node polls 5 slots, then Mosquitto starts",
    must: "the node polls and delivers from the first slot on",
  },
  async (t) => {
    const plant = await startPlant(t);
    const { broker, slave, files } = plant;
    const subscriber = await startSubscriber(t, { port: broker.port, session: "historian" });
    // In order, so that the session of the subscriber is on its disk.
    await broker.stop("SIGTERM");
    const node = startNode(t, files);
    await polled(slave, 5);
    await broker.restart();
    await pollsOf(subscriber, NAMES, 8);
    const { counts } = await verdictOf(node, plant, subscriber);
    const first = readings(subscriber.log).filter(({ seq }) => seq === 1);
    assert.deepEqual(
      first.map(({ replayed }) => replayed),
      Array(GATEWAYS).fill(true),
    );
    return seenOf(counts, readings(subscriber.log).filter(({ replayed }) => replayed).length);
  },
);

faultRow(
  {
    id: "B1c",
    fault: "away for ten minutes",
    done: "the engine on a fake clock, three gateways every second, the broker away for 600 s in the middle of messages",
    must: "no slot is missed; every seq comes once and in order; the disk is free of them afterwards",
  },
  async () => {
    const ids = ["a", "b", "c"];
    const gateways = ids.map((id) => ({ id, devices: { d: [1000] }, phase: 0 }));
    const rig = new Rig({ gateways });
    await rig.start();
    await rig.clock.advance(5500);
    rig.broker.held = true;
    await rig.clock.advance(3000);
    rig.broker.away();
    rig.broker.held = false;
    await rig.clock.advance(600_000);
    const waited = rig.disk("spool/").size;
    rig.broker.back();
    await rig.clock.advance(10_000);
    const expected = Array.from({ length: 619 }, (_, n) => n + 1);
    for (const id of ids) {
      const seqs = toldOn(rig, `readings/${id}/d`).map(({ seq }) => seq);
      assert.deepEqual([...new Set(seqs)], expected, id);
    }
    assert.ok(rig.disk("spool/").size < 10);
    await rig.stop();
    return `${String(waited)} messages waited; seq 1 to 619 of each gateway came in order`;
  },
);

faultRow(
  {
    id: "B2a",
    fault: "paused",
    done: "Mosquitto gets SIGSTOP for as long as the node takes to give the link up (10 s without an acknowledgement), then SIGCONT",
    must: "polling is untouched, memory flat; the link is made anew and all comes, in order",
  },
  async (t) => {
    const plant = await startPlant(t);
    const { broker, slave, files } = plant;
    const subscriber = await startSubscriber(t, { port: broker.port, session: "historian" });
    const node = startNode(t, files);
    await pollsOf(subscriber, NAMES, 3);
    const before = watchProcess(node.pid);
    t.after(() => {
      before.stop();
    });
    const { peak: resident } = before.read();
    broker.signal("SIGSTOP");
    await node.said(/acknowledged nothing/);
    await polled(slave, 5);
    broker.signal("SIGCONT");
    const from = subscriber.log.length;
    await pollsOf(subscriber, NAMES, 60, from);
    const grown = before.read().peak - resident;
    const { counts } = await verdictOf(node, plant, subscriber);
    assert.ok(grown < 40e6, `memory grew by ${String(grown)} bytes`);
    const late = readings(subscriber.log).filter(({ replayed }) => replayed === true);
    const megabytes = String(Math.round(grown / 1e6));
    return `${seenOf(counts, late.length)}; memory grew by ${megabytes} MB at most`;
  },
);

/** A broker that remembers sessions even when it is killed, a slave, and the configuration of a node. */
async function startPlant(t: TestContext): Promise<Plant> {
  const directory = createTempDir(t);
  const lines = ["autosave_on_changes true", "autosave_interval 1"];
  const broker = await startMosquitto({ persistent: true, lines });
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

/** Takes from the broker what it retains, as when it had lost its disk; the sessions stay. */
async function clearRetained({ url }: Mosquitto): Promise<void> {
  const client = await mqtt.connectAsync(url);
  for (const topic of RETAINED) await client.publishAsync(topic, "", { qos: 1, retain: true });
  await client.endAsync();
}

/** Settles when the slave has seen so many further polls of every gateway. */
async function polled(slave: Slave, polls: number): Promise<void> {
  const further = slave.ports.map((port) => {
    return slave.received(port, slave.log(port).length + polls * REQUESTS);
  });
  await Promise.all(further);
}

/** Ends the node and holds the slave's log, the subscriber's and the ledger against each other. */
async function verdictOf(
  node: NodeProcess,
  { broker, slave, files }: Plant,
  subscriber: Subscriber,
): Promise<Verdict> {
  assert.equal(await node.stop(), 0, node.output());
  await delivered(subscriber, broker.port);
  const ledger = await readLedger(files.stateDir);
  const requests = wireOf(slave, (n) => NAMES[n] ?? "");
  const intervals = new Map(NAMES.map((name) => [name, INTERVAL]));
  const history = { intervals, kills: 0, requests, messages: subscriber.log, ledger };
  const verdict = checkHistory(history);
  assert.deepEqual(verdict.violations, []);
  const { slots, unknown, missed } = verdict.counts;
  assert.equal(unknown, 0);
  // On a machine that is busy with other things some slots may be late; a broker that costs any costs all while it is away.
  assert.ok(missed <= slots / 5, `${String(missed)} of ${String(slots)} slots were missed`);
  return verdict;
}

function seenOf({ readings: all, missed, duplicates }: Verdict["counts"], late: number): string {
  return (
    `${String(all)} readings in order, none missing, ${String(late)} of them replayed, ` +
    `${String(duplicates)} came again; ${String(missed)} slots missed`
  );
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
