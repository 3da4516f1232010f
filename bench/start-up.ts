/** W8: how long a poller takes from nothing, and what it takes when it does next to nothing. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readingsIn } from "./delivery.ts";
import { installSize } from "./install-size.ts";
import type { Bench } from "./measure.ts";
import { EDGEPOLL, monotonic, POLLERS, startPoller, type PollerName } from "./pollers.ts";
import { memoryOf } from "./process-usage.ts";
import { medianOf } from "./quantiles.ts";
import { startSlave, startSubscriber } from "./witness.ts";
import { ONE } from "./workloads.ts";

/** Start and rest of one poller with one gateway; medians. Times in ms, memory in MB (10⁶ bytes). */
export interface StartUp {
  readonly poller: PollerName;
  /** From the start of the process. */
  readonly ready: number;
  readonly firstReading: number;
  /** The part of `firstReading` that passed before the first slot was due; of edgepoll only. */
  readonly untilDue: number | null;
  readonly rss: number;
  readonly rssPeak: number;
}

/** What W8 measures. */
export interface StartUps {
  readonly pollers: readonly StartUp[];
  /** `edgepoll --version`, median, in ms. */
  readonly version: number;
  /** In MB (10⁶ bytes). */
  readonly installed: number;
}

const STARTS = 5;
const VERSIONS = 9;

/** Starts each poller a few times, each time with nothing to remember; the disk's cache is warm. */
export async function measureStartUps(bench: Bench, rest: number): Promise<StartUps> {
  const pollers: StartUp[] = [];
  for (const poller of POLLERS) {
    const starts: StartUp[] = [];
    for (let n = 1; n <= STARTS; n += 1) {
      starts.push(await startOnce(bench, poller, n === STARTS ? rest : 0));
    }
    const of = (key: "ready" | "firstReading" | "untilDue"): number =>
      medianOf(starts.map((start) => start[key] ?? 0));
    const last = starts.at(-1);
    if (last === undefined) throw new Error("nothing was started");
    const untilDue = last.untilDue === null ? null : of("untilDue");
    pollers.push({ ...last, ready: of("ready"), firstReading: of("firstReading"), untilDue });
  }
  const versions = Array.from({ length: VERSIONS }, () => versionTime(bench.machine.pollerCore));
  return { pollers, version: medianOf(versions), installed: installSize() };
}

/** `rest`: how long it runs before its memory is looked at, in ms. */
async function startOnce(bench: Bench, name: PollerName, rest: number): Promise<StartUp> {
  const directory = mkdtempSync(join(bench.directory, "W8-"));
  const slave = await startSlave(ONE, directory);
  const subscriber = startSubscriber(bench.broker.port, directory);
  // It is to be subscribed before the first reading comes.
  await wait(200);
  const offset = Date.now() - monotonic();
  const poller = await startPoller(name, {
    ...{ workload: ONE, ports: slave.ports, broker: bench.broker.url, runtime: bench.runtime },
    ...{ directory: join(directory, "poller"), core: bench.machine.pollerCore },
  });
  await Promise.race([subscriber.first(), poller.died]);
  await wait(rest);
  const { now: rss, peak: rssPeak } = memoryOf(poller.pid);
  await poller.stop();
  const [first] = readingsIn(await subscriber.stop());
  await slave.stop();
  rmSync(directory, { recursive: true });
  if (first === undefined) throw new Error("no reading arrived");
  const since = (wallTime: number): number => wallTime - offset - poller.started;
  const slot = first.reading.slot;
  return {
    poller: name,
    ready: poller.ready,
    firstReading: since(first.at),
    untilDue: slot === undefined ? null : since(slot),
    ...{ rss, rssPeak },
  };
}

function versionTime(core: number | undefined): number {
  const words = [process.execPath, EDGEPOLL, "--version"];
  const [file = "", ...args] =
    core === undefined ? words : ["taskset", "-c", String(core), ...words];
  const started = monotonic();
  const { status } = spawnSync(file, args, { stdio: "ignore" });
  if (status !== 0) throw new Error(`edgepoll --version ended with ${String(status)}`);
  return monotonic() - started;
}
