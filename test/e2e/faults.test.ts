/** Devices that do everything wrong; EDGEPOLL_SEED: the same faults again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { checkHistory } from "../support/history.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { SEED } from "../support/seed.ts";
import { startSlave, type Fault } from "../support/slave.ts";
import { startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { delivered, pollsOf, seededRandom, serialPoints, wireOf } from "./site.ts";

const GATEWAYS = 10;
const INTERVAL = 400;
/** Short enough that the three requests of a poll that started late end within the interval. */
const TIMEOUT = 60;
const ROUNDS = 30;
/** ms a fault lasts at most. */
const ROUND = 500;

const FAULTS: readonly Fault[] = [
  { kind: "silent" },
  { kind: "refuse" },
  { kind: "close", at: "before" },
  { kind: "close", at: "middle" },
  { kind: "close", at: "after" },
  { kind: "rst", at: "before" },
  { kind: "rst", at: "middle" },
  { kind: "rst", at: "after" },
  { kind: "hold" },
  { kind: "unasked" },
  { kind: "wrong-tid" },
  { kind: "wrong-protocol" },
  { kind: "wrong-unit" },
  { kind: "wrong-function" },
  { kind: "wrong-bytecount" },
  { kind: "truncated" },
  { kind: "split" },
  { kind: "extra" },
  { kind: "duplicate" },
  { kind: "glued" },
  { kind: "stall" },
  { kind: "one-connection" },
  { kind: "wrong-length", length: 0 },
  { kind: "delay", ms: TIMEOUT },
  { kind: "late", ms: TIMEOUT + 5 },
  { kind: "late", ms: INTERVAL },
  { kind: "exception", code: 2 },
  { kind: "exception", code: 11 },
  { kind: "garbage" },
];

test(
  "P1 P2 P5: whatever devices do, no request is sent twice and no value is another request's",
  { timeout: 120_000 },
  async (t) => {
    const directory = createTempDir(t);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const logFile = join(directory, "requests.jsonl");
    const slave = await startSlave({ ports: GATEWAYS, logFile });
    t.after(() => slave.stop());
    const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
    const names = slave.ports.map((_, n) => `gateway-${String(n)}`);
    const files = writeSite(join(directory, "node"), {
      node: "tormented",
      mqtt: { broker: broker.url },
      defaults: { interval: `${String(INTERVAL)}ms`, timeout: `${String(TIMEOUT)}ms`, retries: 0 },
      gateways: slave.ports.map((port, n) => ({
        id: names[n],
        connection: `tcp://127.0.0.1:${String(port)}`,
        devices: [{ id: "unit", unitId: 1, points: serialPoints }],
      })),
    });
    const node = startNode(t, files);
    await pollsOf(subscriber, names, 1);

    const random = seededRandom(SEED);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const port of slave.ports) {
        const fault = FAULTS[Math.floor(random() * FAULTS.length * 1.3)] ?? { kind: "normal" };
        await slave.fault(port, fault);
      }
      await pass(random() * ROUND);
    }
    for (const port of slave.ports) await slave.fault(port, { kind: "normal" });
    const healed = subscriber.log.length;
    await pollsOf(subscriber, names, 3, healed);
    for (const name of names) {
      const isGood = ({ topic, payload }: { topic: string; payload: string }) =>
        topic === `polling/readings/${name}/unit` && payload.includes('"quality":"good"');
      await subscriber.first(`a good reading of ${name} after its faults`, isGood, healed);
    }
    assert.equal(await node.stop(), 0, node.output());
    await delivered(subscriber, broker.port);

    const { violations, counts } = checkHistory({
      intervals: new Map(names.map((name) => [name, INTERVAL])),
      kills: 0,
      requests: wireOf(slave, (n) => names[n] ?? ""),
      messages: subscriber.log,
      ledger: await readLedger(files.stateDir),
    });
    t.diagnostic(`seed ${String(SEED)}, ${JSON.stringify(counts)}`);
    assert.deepEqual(violations.slice(0, 20), []);
  },
);
