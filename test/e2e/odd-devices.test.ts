/** Devices that need more than a request: pauses, a connection for each poll, and to be read round holes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startPython } from "../modbus/rig.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { startSlave } from "../support/slave.ts";
import { jsonOf, startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { pollsOf, serialPoints } from "./site.ts";

const SLAVE = fileURLToPath(new URL("../support/pymodbus-slave.py", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../../bin/edgepoll.js", import.meta.url));

/** ms. */
const BETWEEN_REQUESTS = 30;
const BETWEEN_UNITS = 80;
/** Requests of a poll: each unit is asked for three tables. */
const REQUESTS = 6;

test("the slave sees the pauses between requests and units, and a connection for each poll", async (t) => {
  const directory = createTempDir(t);
  const broker = await startMosquitto();
  t.after(() => broker.remove());
  const slave = await startSlave({ ports: 1, logFile: join(directory, "requests.jsonl") });
  t.after(() => slave.stop());
  const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/readings/#" });
  const port = slave.ports[0] ?? 0;
  const files = writeSite(join(directory, "node"), {
    node: "odd",
    mqtt: { broker: broker.url },
    gateways: [
      {
        id: "slow",
        connection: `tcp://127.0.0.1:${String(port)}`,
        interval: "1s",
        pause: {
          afterConnect: "20ms",
          betweenRequests: `${String(BETWEEN_REQUESTS)}ms`,
          betweenUnits: `${String(BETWEEN_UNITS)}ms`,
        },
        closeAfterPoll: true,
        devices: [
          { id: "unit", unitId: 1, points: serialPoints },
          { id: "other", unitId: 2, points: serialPoints },
        ],
      },
    ],
  });
  const node = startNode(t, files);
  await node.started;
  await pollsOf(subscriber, ["slow"], 3);
  assert.equal(await node.stop(), 0, node.output());

  const requests = slave.log(port);
  const connections = slave.connections(port);
  const polls = connections.filter(({ event }) => event === "open").map(({ conn }) => conn);
  for (const conn of polls.slice(0, 3)) {
    const own = requests.filter((request) => request.conn === conn);
    assert.equal(own.length, REQUESTS, "one connection carries one poll");
    for (const [n, { t: at, unit }] of own.entries()) {
      const before = own[n - 1];
      if (before === undefined) continue;
      // A request is logged before it is answered, and the pause begins with the answer.
      const ms = (Number(at) - Number(before.t)) / 1e6;
      const least = unit === before.unit ? BETWEEN_REQUESTS : BETWEEN_UNITS;
      assert.ok(
        ms >= least,
        `${String(ms)} ms before request ${String(n)} of unit ${String(unit)}`,
      );
    }
  }
  const order = connections.map(({ event }) => event).slice(0, 6);
  assert.deepEqual(order, ["open", "close", "open", "close", "open", "close"]);
});

interface SeenReading {
  readonly values: Readonly<Record<string, number>>;
  readonly errors?: Readonly<Record<string, { readonly exception?: number }>>;
}

test("a slave of another code base is read round its holes, and check --plan knows them afterwards", async (t) => {
  const directory = createTempDir(t);
  const port = await startPython(t, [SLAVE]);
  const broker = await startMosquitto();
  t.after(() => broker.remove());
  const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
  // 3 and 8 are read over the hole between them; 21 is not there.
  const points = [2, 3, 8, 9, 20, 21].map((address) => {
    return { id: `r${String(address)}`, table: "holding", address, type: "uint16" };
  });
  const files = writeSite(join(directory, "node"), {
    node: "odd",
    mqtt: { broker: broker.url },
    gateways: [
      {
        id: "python",
        connection: `tcp://127.0.0.1:${String(port)}`,
        interval: "300ms",
        merge: { maxGap: 20 },
        devices: [{ id: "unit", unitId: 8, points }],
      },
    ],
  });
  const node = startNode(t, files);
  await subscriber.first("a reading with all there is", ({ topic, payload }) => {
    return topic === "polling/readings/python/unit" && /"r2":2,.*"r20":20/.test(payload);
  });
  await subscriber.until("what is refused to be said", (log) => {
    return log.filter(({ payload }) => payload.includes('"registers-refused"')).length >= 3;
  });
  const from = subscriber.log.length;
  const topic = "polling/readings/python/unit";
  const reading = await subscriber.first(
    "a reading after that",
    (each) => each.topic === topic,
    from,
  );
  const { values, errors } = jsonOf<SeenReading>(reading);
  assert.deepEqual(values, { r2: 2, r3: 3, r8: 8, r9: 9, r20: 20 });
  assert.deepEqual(errors, { r21: { reason: "exception", exception: 2 } });
  assert.equal(await node.stop(), 0, node.output());

  const told = execFileSync(process.execPath, [PROGRAM, "check", files.config, "--plan", "--json"]);
  const { plan } = JSON.parse(String(told)) as {
    plan: { requests: { address: number; count: number }[]; refused: { address: number }[] };
  };
  const requests = plan.requests.map(({ address, count }) => [address, count]);
  assert.ok(
    requests.some(([address, count]) => address === 21 && count === 1),
    String(requests),
  );
  assert.ok(!requests.some(([address = 0, count = 0]) => address < 4 && address + count > 4));
  assert.equal(plan.refused.length, 3);
});
