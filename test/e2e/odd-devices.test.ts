/** Devices that need more than a request: pauses, and a connection of its own for each poll. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { startSlave } from "../support/slave.ts";
import { startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { pollsOf, serialPoints } from "./site.ts";

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
