/** A few gateways at a real Mosquitto and the independent slave, whose node a row starts and ends as it likes. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { delivered, pollsOf, serialPoints, wireOf } from "../e2e/site.ts";
import { checkHistory, type History, type Verdict } from "../support/history.ts";
import { ledgerOf, readRecords, waitingIn } from "../support/ledger-reader.ts";
import { startMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { writeSite, type NodeFiles } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { startSubscriber, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** ms. */
export interface RigKeys {
  readonly gateways: number;
  readonly interval: number;
  readonly timeout: number;
  /** Of all gateways, such as `0s`; default: each its own. */
  readonly phase?: string;
}

/** The surroundings of a node. */
export interface ProcessRig {
  readonly names: readonly string[];
  readonly broker: Mosquitto;
  readonly slave: Slave;
  readonly subscriber: Subscriber;
  readonly files: NodeFiles;
  /** Settles when every gateway has so many readings more. */
  polled(count: number): Promise<void>;
  /** What all witnesses say, when the node has ended. */
  verdict(more?: Pick<History, "healed" | "outputs"> & { kills?: number }): Promise<Verdict>;
}

/** Makes the surroundings; they go with the test. */
export async function createProcessRig(
  t: TestContext,
  { gateways, interval, timeout, phase }: RigKeys,
): Promise<ProcessRig> {
  const directory = createTempDir(t);
  // What comes while the subscriber is away for the broker's restart waits for it.
  const broker = await startMosquitto({ persistent: true, lines: ["max_queued_messages 0"] });
  t.after(() => broker.remove());
  const slave = await startSlave({ ports: gateways, logFile: join(directory, "requests.jsonl") });
  t.after(() => slave.stop());
  const session = "historian";
  const where = { port: broker.port, filter: "polling/#", session };
  const subscriber = await startSubscriber(t, where);
  const names = slave.ports.map((_, n) => `gateway-${String(n)}`);
  const files = writeSite(join(directory, "node"), {
    node: "one",
    mqtt: { broker: broker.url },
    defaults: { retries: 0, timeout: `${String(timeout)}ms`, interval: `${String(interval)}ms` },
    gateways: names.map((id, n) => ({
      ...(phase === undefined ? { id } : { id, phase }),
      connection: `tcp://127.0.0.1:${String(slave.ports[n])}`,
      devices: [{ id: "unit", unitId: 1, points: serialPoints }],
    })),
  });
  return {
    ...{ names, broker, slave, subscriber, files },
    polled: (count) => pollsOf(subscriber, names, count, subscriber.log.length),
    verdict: async ({ kills = 0, ...more } = {}) => {
      await delivered(subscriber, broker.port);
      const records = await readRecords(files.stateDir);
      return checkHistory({
        intervals: new Map(names.map((name) => [name, interval])),
        kills,
        requests: wireOf(slave, (n) => names[n] ?? ""),
        messages: [...subscriber.log, ...waitingIn(records)],
        ledger: ledgerOf(records),
        ...more,
      });
    },
  };
}
