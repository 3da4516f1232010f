/** Gateways that fail must not cost their neighbours a slot. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { followMessages, type Message } from "../support/history-told.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { startSlave } from "../support/slave.ts";
import { jsonOf, startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { publish, serialPoints, type SeenHealth } from "./site.ts";

const HEALTHY = 10;
const SLOTS = 30;
const INTERVAL = 400;
/** An address of the documentation block (RFC 5737): nobody is there, and nobody says so. */
const BLACK_HOLE = "tcp://192.0.2.1:502";

test(
  "P2 P7: a stalled, a refusing and a dead gateway cost ten healthy neighbours nothing",
  { timeout: 60_000 },
  async (t) => {
    const directory = createTempDir(t);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const logFile = join(directory, "requests.jsonl");
    const slave = await startSlave({ ports: HEALTHY + 2, logFile });
    t.after(() => slave.stop());
    const [stalled = 0, refusing = 0, ...healthy] = slave.ports;
    await slave.fault(stalled, { kind: "silent" });
    await slave.fault(refusing, { kind: "refuse" });
    const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
    const local = (port: number): string => `tcp://127.0.0.1:${String(port)}`;
    const connections: [string, string][] = [
      ["stalled", local(stalled)],
      ["refusing", local(refusing)],
      ["dead", BLACK_HOLE],
      ...healthy.map((port, n): [string, string] => [`healthy-${String(n)}`, local(port)]),
    ];
    const files = writeSite(join(directory, "node"), {
      node: "neighbours",
      mqtt: { broker: broker.url },
      // Breakers would take the load away.
      defaults: { interval: `${String(INTERVAL)}ms`, failureThreshold: 10_000 },
      gateways: connections.map(([id, connection]) => {
        const devices = [{ id: "unit", unitId: 1, points: serialPoints }];
        // What fails takes nearly all of its time for it.
        return id.startsWith("healthy")
          ? { id, connection, devices }
          : { id, connection, devices, timeout: "390ms" };
      }),
    });
    const node = startNode(t, files);
    const ids = connections.map(([id]) => id);
    const reached = new Map<string, number>();
    let seen = 0;
    await subscriber.until(`slot ${String(SLOTS)} of every gateway`, (log) => {
      for (const { gateway, to } of followMessages({ messages: log.slice(seen) }).messages) {
        reached.set(gateway, to);
      }
      seen = log.length;
      return ids.every((id) => (reached.get(id) ?? 0) >= SLOTS);
    });
    await publish(broker.port, "polling/cmd/status", "{}");
    const reply = await subscriber.first(
      "the status",
      ({ topic }) => topic === "polling/reply/status",
    );
    const { gateways } = jsonOf<{ data: { gateways: SeenHealth[] } }>(reply).data;
    assert.equal(await node.stop(), 0, node.output());

    const { violations, messages } = followMessages({ messages: subscriber.log });
    assert.deepEqual(violations, [], "every slot has one reading or stands in one gap, in order");
    for (const id of ids) {
      const own = messages.filter(({ gateway }) => gateway === id);
      const outcomes = outcomesOf(own, SLOTS);
      const health = gateways.find(({ gateway }) => gateway === id);
      const { state, online, schedules = [] } = health ?? {};
      if (id.startsWith("healthy")) {
        // The end of the node may cut a later one short.
        const bad = own.filter(({ from, outcome }) => from <= SLOTS && outcome !== "good");
        assert.deepEqual(
          bad.map(({ from, to, outcome }) => [from, to, outcome]),
          [],
          id,
        );
        assert.deepEqual({ state, online }, { state: "running", online: true }, id);
        const { good, partial, failed, unknown, missed } = schedules[0]?.counts ?? {};
        assert.ok(Number(good) >= SLOTS, `${id}: its health counts the good ones`);
        const others = { partial, failed, unknown, missed };
        assert.deepEqual(others, { partial: 0, failed: 0, unknown: 0, missed: {} }, id);
      } else {
        assert.equal(outcomes["good"], undefined, id);
        assert.ok((outcomes["failed"] ?? 0) > 0, `${id} was polled`);
        assert.deepEqual({ state, online }, { state: "degraded", online: false }, id);
        t.diagnostic(`${id}: ${JSON.stringify(outcomes)}`);
      }
    }
  },
);

/** How many of the first `slots` slots had which outcome. */
function outcomesOf(messages: readonly Message[], slots: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { from, to, outcome } of messages) {
    const own = Math.min(to, slots) - from + 1;
    if (own > 0) counts[outcome] = (counts[outcome] ?? 0) + own;
  }
  return counts;
}
