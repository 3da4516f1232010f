/** What a full state directory costs: a start of the real program, memory, size, a proof, giving room back. */
import type { TestContext } from "node:test";
import { validateOffline } from "../../src/app/offline.ts";
import { below, keys } from "../../src/core/records.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { storeBytes } from "../../src/store/size.ts";
import { createClock } from "../../src/system/clock.ts";
import { fillStateDir } from "./full-store.ts";
import { ledgerOf, readRecords } from "../support/ledger-reader.ts";
import { freePort } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { watchProcess } from "./process-facts.ts";

const GATEWAYS = 50;
const INTERVAL = 10_000;
/** Records deleted at once. */
const PAGE = 5000;

/** What was seen of a full state directory. */
export interface FullSeen {
  readonly figures: Readonly<Record<string, string>>;
  /** ms until the node runs. */
  readonly start: number;
  /** Slots due at the proof before the start, and its findings. */
  readonly due: number;
  readonly findings: readonly unknown[];
  /** Messages that wait after the start. */
  readonly waits: number;
  /** Accounts that went on in their epoch. */
  readonly goesOn: number;
  /** Bytes of the database before, and when what waited was deleted. */
  readonly bytes: number;
  readonly left: number;
}

/** Fills a state directory and has the program work on it. */
export async function measureFull(
  t: Pick<TestContext, "after">,
  directory: string,
  { rows, waiting }: { rows: number; waiting: number },
): Promise<FullSeen> {
  const ids = Array.from({ length: GATEWAYS }, (_, n) => `gateway-${String(n)}`);
  // Nobody listens there: neither device nor broker.
  const nobody = await freePort();
  const points = [{ id: "value-0", table: "holding", address: 0, type: "float32" }];
  const files = writeSite(directory, {
    node: "full",
    mqtt: { broker: `mqtt://127.0.0.1:${String(nobody)}`, spool: { maxBytes: "4GiB" } },
    log: { level: "error" },
    defaults: { interval: `${String(INTERVAL)}ms` },
    gateways: ids.map((id) => ({
      ...{ id, connection: `tcp://127.0.0.1:${String(nobody)}` },
      devices: [{ id: "unit", unitId: 1, points }],
    })),
  });
  await fillStateDir(files.stateDir, { gateways: ids, interval: INTERVAL, rows, waiting });
  const bytes = storeBytes(files.stateDir) ?? 0;
  const [proof, proving] = await timed(() => validateOffline(files.stateDir, { since: 0 }));
  const node = startNode(t, files);
  const facts = watchProcess(node.pid);
  const [, start] = await timed(() => node.started);
  const { cpu, peak } = facts.read();
  facts.stop();
  await node.stop();
  const records = await readRecords(files.stateDir);
  const waits = records.filter(([key]) => key.startsWith(keys.spoolAll)).length;
  const goesOn = ledgerOf(records).filter(({ claimed }) => claimed > waiting / GATEWAYS).length;
  const [left, compacting] = await timed(() => emptied(files.stateDir));
  const figures = {
    start: `${seconds(start)}, ${seconds(cpu)} of CPU`,
    resident: megabytes(peak),
    "on disk": megabytes(bytes),
    validate: seconds(proving),
    "room given back": `${megabytes(bytes - left)} in ${seconds(compacting)}`,
  };
  const due = proof.schedules.reduce((sum, row) => sum + row.due, 0);
  return { figures, start, due, findings: proof.findings, waits, goesOn, bytes, left };
}

/** Deletes what waits and gives the room back, as a node does; the bytes that are left. */
async function emptied(stateDir: string): Promise<number> {
  const store = await openLevelStore(stateDir, { create: false, clock: createClock() });
  const all = below(keys.spoolAll);
  for await (const page of store.scan(all)) {
    for (let from = 0; from < page.length; from += PAGE) {
      await store.write(
        page.slice(from, from + PAGE).map(({ key }) => ({ key })),
        false,
      );
    }
  }
  await store.compact(all);
  await store.close();
  return storeBytes(stateDir) ?? 0;
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  const result = await work();
  return [result, performance.now() - began];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
