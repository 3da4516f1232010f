/** After an outage of hours the spool is drained beside live polling; `npm run soak` does it with a day's worth. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fillState, writePlant } from "../soak/outage-state.ts";
import { startStreamWitness } from "../soak/stream-witness.ts";
import { readRecords } from "../support/ledger-reader.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode } from "../support/node-process.ts";
import { startSlave } from "../support/slave.ts";
import { createTempDir } from "../support/temp-dir.ts";

const GATEWAYS = 50;
const INTERVAL = 10_000;
/** Slots of each gateway without a broker: 20,000 readings in all. */
const SLOTS = 400;
const POLLED = ['["good"', '["partial"', '["failed"'];

test(
  "P3 P4: 20,000 readings that waited come in order beside those of now, every one in the ledger and none else",
  { timeout: 120_000 },
  async (t) => {
    const directory = createTempDir(t);
    // A subscriber that is slower than the node must lose nothing: it is the witness.
    const broker = await startMosquitto({ lines: ["max_queued_messages 0"] });
    t.after(() => broker.remove());
    const slave = await startSlave({ ports: GATEWAYS, logFile: join(directory, "requests.jsonl") });
    t.after(() => slave.stop());
    const plant = { broker: broker.url, ports: slave.ports, interval: INTERVAL };
    const files = writePlant(join(directory, "node"), plant);
    await fillState(files, SLOTS);
    const witness = await startStreamWitness(broker.port);
    t.after(() => witness.stop());
    const node = startNode(t, files);
    const { account } = witness;
    await witness.until(
      () => account.replayed >= SLOTS * GATEWAYS && account.readings >= account.replayed + 10,
      30_000,
    );
    assert.equal(await node.stop(), 0, node.output());

    const records = await readRecords(files.stateDir);
    const polled = new Map<string, number>();
    for (const [key, text] of records) {
      const [kind, schedule = ""] = key.split("/");
      if (kind !== "outcome" || !POLLED.some((outcome) => text.startsWith(outcome))) continue;
      const gateway = schedule.split("@")[0] ?? "";
      polled.set(gateway, (polled.get(gateway) ?? 0) + 1);
    }
    const total = [...polled.values()].reduce((sum, count) => sum + count, 0);
    await witness.until(() => account.readings >= total, 10_000);
    assert.deepEqual(account.faults, [], "no seq is missing, none out of order");
    assert.equal(account.readings, total);
    assert.equal(polled.size, GATEWAYS);
    const left = records.filter(([key]) => key.startsWith("spool/gateway-"));
    assert.deepEqual(left, [], "what was acknowledged has left the disk");
  },
);
