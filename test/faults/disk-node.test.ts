/** A whole node on a disk that obeys: full and freed, and slow. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { askNode } from "../../src/app/remote.ts";
import type { NodeHealth } from "../../src/core/payloads.ts";
import { delivered, pollsOf, serialPoints, wireOf } from "../e2e/site.ts";
import { createFaultDisk, ERRNO, setFault } from "../support/fault-disk.ts";
import { faultRow } from "../support/fault-row.ts";
import { checkHistory } from "../support/history.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

const INTERVAL = 1000;

/** A node that is about to be started, and the witnesses. */
interface Plant {
  readonly files: { readonly config: string; readonly stateDir: string };
  readonly env: Readonly<Record<string, string>>;
  readonly control: string;
  readonly slave: Slave;
  readonly subscriber: Subscriber;
  readonly ids: readonly string[];
  /** Settles when the subscriber has what the broker had. */
  delivered(): Promise<void>;
}

async function createPlant(t: TestContext, gateways: number): Promise<Plant> {
  const directory = createTempDir(t);
  const stateDir = join(directory, "node", "state");
  mkdirSync(stateDir, { recursive: true });
  const { env, control } = createFaultDisk(t, stateDir);
  const broker = await startMosquitto();
  t.after(() => broker.remove());
  const slave = await startSlave({ ports: gateways, logFile: join(directory, "requests.jsonl") });
  t.after(() => slave.stop());
  const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
  const ids = slave.ports.map((_, n) => `gateway-${String(n)}`);
  const files = writeSite(join(directory, "node"), {
    node: "disk",
    mqtt: { broker: broker.url },
    gateways: slave.ports.map((port, n) => ({
      id: ids[n],
      interval: `${String(INTERVAL)}ms`,
      connection: `tcp://127.0.0.1:${String(port)}`,
      devices: [{ id: "unit", unitId: 1, points: serialPoints }],
    })),
  });
  return {
    ...{ files, env, control, slave, subscriber, ids },
    delivered: () => delivered(subscriber, broker.port),
  };
}

/** Asks the node until it says what is waited for; the row's own limit ends it otherwise. */
async function until(stateDir: string, met: (health: NodeHealth) => boolean): Promise<NodeHealth> {
  for (;;) {
    const reply = await askNode(stateDir, "status", {});
    // The data of `status`.
    const { node } = (reply as { data: { node: NodeHealth } }).data;
    if (met(node)) return node;
    await pass(100);
  }
}

faultRow(
  {
    id: "K4e",
    fault: "the disk is full under a node that polls, and then freed",
    done: "ENOSPC for all that a node writes, until six slots are missed; witnesses are the slave, a subscriber and the ledger",
    must: "nothing is sent in a slot that is missed: store, health and gaps say so; no slot due later than two intervals after the end is missed; nothing confirmed is lost",
  },
  async (t) => {
    const plant = await createPlant(t, 2);
    const { files, env, control, subscriber, slave, ids } = plant;
    const node = startNode(t, files, { env });
    await pollsOf(subscriber, ids, 2);
    const before = await until(files.stateDir, () => true);
    setFault(control, { calls: "all", errno: ERRNO.ENOSPC });
    const failing = await until(files.stateDir, ({ store, totals }) => {
      return store.state === "failing" && totals.missed >= before.totals.missed + 6;
    });
    assert.match(failing.store.reason ?? "", /disk is full/);
    setFault(control);
    const freed = Date.now();
    const from = subscriber.log.length;
    await pollsOf(subscriber, ids, 3, from);
    assert.equal((await until(files.stateDir, () => true)).store.state, "ok");
    assert.equal(await node.stop(), 0, node.output());
    await plant.delivered();
    const gaps = subscriber.log
      .filter(({ topic }) => topic.startsWith("polling/gaps/"))
      .map((message) =>
        jsonOf<{ reason: string; slotTo: number; from: number; to: number }>(message),
      )
      .filter(({ reason }) => reason === "store");
    const late = Math.max(...gaps.map(({ slotTo }) => slotTo - freed));
    assert.ok(late <= 2 * INTERVAL, `a slot ${String(late)} ms after the end is missed`);
    const { violations, counts } = checkHistory({
      intervals: new Map(ids.map((id) => [id, INTERVAL])),
      // The poll of a gateway that was open is unknown when the disk was full for more than 10 s.
      kills: 1,
      requests: wireOf(slave, (n) => ids[n] ?? ""),
      messages: subscriber.log,
      ledger: await readLedger(files.stateDir),
    });
    assert.deepEqual(violations, []);
    const slots = gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0);
    return `${String(slots)} slots told as missed: store, the last ${String(Math.abs(Math.round(late)))} ms ${late < 0 ? "before" : "after"} the end; ${String(counts.requests)} requests seen, none in a missed slot, none twice; ${String(counts.readings)} readings, none lost`;
  },
);

faultRow(
  {
    id: "K4f",
    fault: "a slow disk: each sync takes 50 ms",
    done: "every fsync and fdatasync of a node with 200 gateways every second takes 50 ms longer, for ten slots of each",
    must: "no slot is missed for the store's sake, none is unknown, but for 1 % when the machine itself stalls: claims and outcomes share syncs (each for itself, half of the slots would be lost)",
  },
  async (t) => {
    const { files, env, control, subscriber, slave, ids } = await createPlant(t, 200);
    setFault(control, { calls: "sync", sleep: 50 });
    const node = startNode(t, files, { env });
    await pollsOf(subscriber, ids, 10);
    const { store } = await until(files.stateDir, () => true);
    assert.ok(store.commit.p50 >= 50, "the disk is slow");
    assert.equal(await node.stop(), 0, node.output());
    const counts = new Map<string, number>();
    for (const { entries } of await readLedger(files.stateDir)) {
      for (const { from, to, outcome } of entries) {
        counts.set(outcome, (counts.get(outcome) ?? 0) + to - from + 1);
      }
    }
    const lost = [...counts].filter(([outcome]) => /store|unknown/.test(outcome));
    const slots = lost.reduce((sum, [, count]) => sum + count, 0);
    // A loaded machine's disk stalls for longer than the grace by itself.
    assert.ok(slots <= ids.length / 10, `${String(slots)} slots lost`);
    const seen = [...counts].map(([outcome, count]) => `${outcome} ${String(count)}`).join(", ");
    const { p50, p99 } = store.commit;
    return `${String(slave.ports.length)} gateways, ${seen}; a commit took ${String(p50)} ms (p50), ${String(p99)} ms (p99)`;
  },
);
