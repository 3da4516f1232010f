/**
 * SIGKILL at random moments. EDGEPOLL_KILLS: how often, 50 unless given; EDGEPOLL_SEED: the same
 * moments again.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { validateOffline } from "../../src/app/offline.ts";
import type { ScheduleRow } from "../../src/core/validation.ts";
import { checkHistory, type History, type LedgerEntry } from "../support/history.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { startSlave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { delivered, pollsOf, seededRandom, serialPoints, wireOf } from "./site.ts";

const KILLS = Number(process.env["EDGEPOLL_KILLS"] ?? 50);
const SEED = Number(process.env["EDGEPOLL_SEED"] ?? Date.now() % 1_000_000);
const GATEWAYS = 10;
/**
 * Half of the gateways are polled often; the others so seldom that a restart falls into the grace of
 * their slots. All answer slowly, so that many requests are in flight at any moment.
 */
const OFTEN = { interval: 300, delay: 20 };
const SELDOM = { interval: 2000, delay: 80 };
/** ms a node lives before it is killed: from its very start to some slots of regular work. */
const LIFE = { least: 50, most: 2200 };

test(
  `P1 P2 P3 P4: ${String(KILLS)} kills at random moments cost no reading, and no slot is polled twice`,
  { timeout: 60_000 + KILLS * 5000 },
  async (t) => {
    const directory = createTempDir(t);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const slave = await startSlave({
      ports: GATEWAYS,
      logFile: join(directory, "requests.jsonl"),
    });
    t.after(() => slave.stop());
    for (const [n, port] of slave.ports.entries()) {
      await slave.fault(port, { kind: "delay", ms: kindOf(n).delay });
    }
    const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
    const files = writeSite(join(directory, "node"), {
      node: "killed",
      mqtt: { broker: broker.url },
      defaults: { retries: 0 },
      gateways: slave.ports.map((port, n) => ({
        id: nameOf(n),
        interval: `${String(kindOf(n).interval)}ms`,
        connection: `tcp://127.0.0.1:${String(port)}`,
        devices: [{ id: "unit", unitId: 1, points: serialPoints }],
      })),
    });

    const random = seededRandom(SEED);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const node = startNode(t, files);
      await pass(LIFE.least + random() * (LIFE.most - LIFE.least));
      await node.kill();
      assert.equal((await node.exit).signal, "SIGKILL", `it ended by itself:\n${node.output()}`);
    }
    const last = startNode(t, files);
    await allPolledBy(
      subscriber,
      slave.ports.map((_, n) => nameOf(n)),
      last.pid,
    );
    assert.equal(await last.stop(), 0, last.output());
    await delivered(subscriber, broker.port);

    const history: History = {
      intervals: new Map(slave.ports.map((_, n) => [nameOf(n), kindOf(n).interval])),
      kills: KILLS,
      requests: wireOf(slave, nameOf),
      messages: subscriber.log,
      ledger: await readLedger(files.stateDir),
    };
    const { violations, counts } = checkHistory(history);
    t.diagnostic(`seed ${String(SEED)}, kills ${String(KILLS)}, ${JSON.stringify(counts)}`);
    assert.deepEqual(violations.slice(0, 20), []);
    assert.equal(history.ledger.length, GATEWAYS, "each gateway has one account");
    const { findings, schedules } = await validateOffline(files.stateDir, { since: 0 });
    assert.deepEqual(findings, []);
    for (const { gateway, due, ...counts } of schedules) {
      // The other reader has a decoder of its own: both count the same slots by the same outcome.
      const account = history.ledger.find((one) => one.gateway === gateway);
      assert.deepEqual(talliedOf(account?.entries ?? []), { ...ofRow(counts), due }, gateway);
    }
    assert.ok(counts.readings > 2 * KILLS, "the nodes lived too briefly to show anything");
  },
);

type Row = Omit<ScheduleRow, "gateway" | "due">;

function ofRow({ good, partial, failed, unknown, missed }: Row): Record<string, number> {
  const sum = Object.values(missed).reduce((slots, of) => slots + of, 0);
  return { good, partial, failed, unknown, missed: sum };
}

function talliedOf(entries: readonly LedgerEntry[]): Record<string, number> {
  const sums: Record<string, number> = {
    good: 0,
    partial: 0,
    failed: 0,
    unknown: 0,
    missed: 0,
    due: 0,
  };
  for (const { from, to, outcome } of entries) {
    for (const name of [outcome.split(":")[0] ?? "", "due"])
      sums[name] = (sums[name] ?? 0) + to - from + 1;
  }
  return sums;
}

function kindOf(n: number): typeof OFTEN {
  return n % 2 === 0 ? OFTEN : SELDOM;
}

function nameOf(n: number): string {
  return `gateway-${String(n)}`;
}

/** Settles when every gateway has two good readings of the node with that pid. */
async function allPolledBy(
  subscriber: Subscriber,
  names: readonly string[],
  pid: number,
): Promise<void> {
  await subscriber.first(
    "the last node",
    (message) =>
      message.topic === "polling/node/info" && jsonOf<{ pid: number }>(message).pid === pid,
  );
  await pollsOf(subscriber, names, 2, subscriber.log.length);
}
