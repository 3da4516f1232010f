/**
 * A day without a broker, and what comes then: `node --import ts-blank-space/register test/soak/outage.ts`.
 * 50 gateways every 10 s have filled the spool (in accelerated time, by the real engine); a real node then
 * drains it through Mosquitto while it polls on. EDGEPOLL_SLOTS: slots of each gateway, 8640 unless given;
 * EDGEPOLL_PROFILE: a directory for a CPU profile of the node.
 */
import { rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode } from "../support/node-process.ts";
import { startSlave } from "../support/slave.ts";
import { fillState, writePlant } from "./outage-state.ts";
import { diskBytes, watchProcess } from "./process-facts.ts";
import { startStreamWitness, summaryOf, type Account } from "./stream-witness.ts";

const GATEWAYS = 50;
const INTERVAL = 10_000;
const SLOTS = Number(process.env["EDGEPOLL_SLOTS"] ?? 8640);
const PROFILE = process.env["EDGEPOLL_PROFILE"];
/** Live polls of every gateway after the drain, in which room is given back as well, and how long these may let us wait, ms. */
const LIVE = 3;
const PATIENCE = 60_000;

const cleanUps: (() => unknown)[] = [];
const test = { after: (clean: () => unknown) => void cleanUps.push(clean) };
const directory = mkdtempSync(
  join(process.env["EDGEPOLL_DIRECTORY"] ?? tmpdir(), "edgepoll-outage-"),
);
try {
  await run();
} finally {
  for (const clean of cleanUps.reverse()) await clean();
  rmSync(directory, { recursive: true });
}

async function run(): Promise<void> {
  // A subscriber that is slower than the node must lose nothing: it is the witness.
  const broker = await startMosquitto({ lines: ["max_queued_messages 0"] });
  test.after(() => broker.remove());
  const slave = await startSlave({ ports: GATEWAYS, logFile: join(directory, "requests.jsonl") });
  test.after(() => slave.stop());
  const plant = { broker: broker.url, ports: slave.ports, interval: INTERVAL };
  const files = writePlant(join(directory, "node"), plant);
  await timed("the spool is filled", () => fillState(files, SLOTS));
  const waiting = SLOTS * GATEWAYS;
  const before = diskBytes(files.stateDir);

  const witness = await startStreamWitness(broker.port);
  test.after(() => witness.stop());
  const profiling = PROFILE === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${PROFILE}`];
  const started = performance.now();
  const node = startNode(test, files, {}, profiling);
  await node.started;
  console.log(`the node runs after ${seconds(performance.now() - started)}`);
  const facts = watchProcess(node.pid);
  const { account } = witness;
  // What was due before is as late as the start was.
  account.lateFrom = Date.now();
  const drained = (): boolean => account.replayed >= waiting;
  const step = Math.ceil(waiting / 10);
  let told = 0;
  await witness.until(() => {
    if (account.replayed >= told + step) {
      told = account.replayed;
      console.log(`${String(told)} after ${seconds(account.lastReplayed - account.firstReplayed)}`);
    }
    return drained();
  }, PATIENCE);
  const taken = account.lastReplayed - account.firstReplayed;
  const cost = facts.read();
  const live = account.readings - account.replayed;
  await witness.until(
    () => account.readings - account.replayed >= live + LIVE * GATEWAYS,
    PATIENCE,
  );
  const afterwards = diskBytes(files.stateDir);
  const code = await node.stop();
  facts.stop();
  const rate = (waiting / taken) * 1000;
  console.table({
    "readings that waited": waiting,
    "drained in": seconds(taken),
    "readings a second": Math.round(rate),
    "CPU of the node while draining": `${String(Math.round((cost.cpu / taken) * 100))} %`,
    "CPU a reading": `${String(Math.round((cost.cpu / waiting) * 1000))} µs`,
    "RSS at most": megabytes(cost.peak),
    "disk before, after": `${megabytes(before)}, ${megabytes(afterwards)}`,
    "live polls late, p50 p99 max": lateness(account),
    "exit code": code,
  });
  console.log(summaryOf(account));
  for (const fault of account.faults.slice(0, 20)) console.log(fault);
  const isWhole = account.faults.length === 0 && code === 0 && !account.gaps.has("busy");
  process.exitCode = isWhole && rate >= 2000 ? 0 : 1;
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await work();
  console.log(`${what} after ${seconds(performance.now() - began)}`);
}

function lateness({ late }: Account): string {
  const sorted = [...late].sort((a, b) => a - b);
  const at = (share: number): string =>
    `${String(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN)} ms`;
  return [0.5, 0.99, 1].map(at).join(", ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
