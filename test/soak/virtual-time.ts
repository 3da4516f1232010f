/**
 * Seven days of 100 gateways every 10 s, six million slots, and ten years of hourly ones, on the virtual
 * clock over the memory store, with crashes, boots, suspends and steps. Each ends with a proof of the
 * ledger. `node --expose-gc --import ts-blank-space/register test/soak/virtual-time.ts`; EDGEPOLL_DAYS: of
 * the first, EDGEPOLL_YEARS: of the second, EDGEPOLL_SEED: the same mishaps again.
 */
import { validateStore } from "../../src/engine/validate.ts";
import { seededRandom } from "../e2e/site.ts";
import { Rig } from "../engine/rig.ts";
import { passDays, type Mishaps } from "../engine/rough-days.ts";

const DAYS = Number(process.env["EDGEPOLL_DAYS"] ?? 7);
const YEARS = Number(process.env["EDGEPOLL_YEARS"] ?? 10);
const SEED = Number(process.env["EDGEPOLL_SEED"] ?? Date.now() % 1_000_000);
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

say(`seed ${String(SEED)}`);
await week();
await years();

/** Of whole engines, second by second. */
async function week(): Promise<void> {
  const ids = Array.from({ length: 100 }, (_, n) => `g${String(n)}`);
  const gateways = ids.map((id) => ({ id, devices: { d: [10 * SECOND] } }));
  const rig = new Rig({ gateways, keep: { outcomes: HOUR, hourly: 2 * HOUR, audit: DAY } });
  const began = performance.now();
  let requests = 0;
  let told = 0;
  await rig.start();
  const mishaps = await passDays(rig, {
    ...{ length: DAYS * DAY, every: 6 * HOUR, drift: 20, random: seededRandom(SEED) },
    interval: 10 * SECOND,
    calm: (passed) => {
      requests += forget(rig);
      if (passed < (told + 1) * (DAY / 2)) return;
      told = Math.floor(passed / (DAY / 2));
      say(`day ${(passed / DAY).toFixed(1)}: ${seconds(began)}, ${memory()}`);
    },
  });
  await prove(rig, mishaps, began, requests);
}

/** Between slots nothing runs: an hour passes at once, and the timers of it fire together. */
async function years(): Promise<void> {
  const hourly = { devices: { d: [HOUR] }, phase: 0 };
  const gateways = ["a", "b"].map((id) => ({ id, ...hourly }));
  const rig = new Rig({
    gateways,
    keep: { outcomes: 30 * DAY, hourly: 30 * DAY, audit: 30 * DAY },
  });
  const random = seededRandom(SEED);
  const began = performance.now();
  let requests = 0;
  const mishaps: Partial<Mishaps> = { boot: 0, suspend: 0, step: 0 };
  await rig.start();
  for (let hour = 1; hour <= YEARS * 365 * 24; hour++) {
    const toSlot = HOUR - (rig.clock.wall() % HOUR);
    await rig.clock.stall(Math.max(1, toSlot - 3 * SECOND));
    await rig.clock.advance(10 * SECOND);
    requests += forget(rig);
    if (hour % (365 * 24) === 0) {
      say(`year ${String(hour / 365 / 24)}: ${seconds(began)}, ${memory()}`);
    }
    if (random() < 1 / (60 * 24)) await yearly(rig, random, mishaps);
  }
  await prove(rig, mishaps, began, requests);
}

/** Every second month something happens. */
async function yearly(rig: Rig, random: () => number, mishaps: Partial<Mishaps>): Promise<void> {
  const length = Math.ceil(random() * 5 * HOUR);
  const kind = (["boot", "suspend", "step"] as const)[Math.floor(random() * 3)] ?? "step";
  mishaps[kind] = (mishaps[kind] ?? 0) + 1;
  if (kind === "step") rig.clock.stepWall(random() < 0.5 ? length : -length);
  if (kind === "suspend") {
    rig.clock.suspend(length + SECOND);
    await rig.clock.advance(1);
  }
  if (kind !== "boot") return;
  rig.crash({ powerCut: true });
  await rig.clock.advance(length);
  rig.reboot();
  await rig.start();
}

async function prove(
  rig: Rig,
  mishaps: Partial<Mishaps>,
  began: number,
  requests: number,
): Promise<void> {
  await rig.stop();
  const asked = requests + forget(rig);
  const took = seconds(began);
  const world = { store: rig.store, pause: () => Promise.resolve() };
  const { validation } = await validateStore(world, { since: 0 });
  const counts = { due: 0, good: 0, partial: 0, failed: 0, unknown: 0, missed: 0 };
  for (const row of validation.schedules) {
    for (const name of ["due", "good", "partial", "failed", "unknown"] as const) {
      counts[name] += row[name];
    }
    counts.missed += Object.values(row.missed).reduce((sum, of) => sum + of, 0);
  }
  say(
    `${took}; ${JSON.stringify(counts)}; asked ${String(asked)} times; ${JSON.stringify(mishaps)}`,
  );
  const isAskedOnce = asked >= counts.good && asked <= counts.good + counts.unknown;
  if (validation.findings.length === 0 && rig.broken.length === 0 && isAskedOnce) {
    say(`validate: no findings in ${String(validation.records)} records`);
    return;
  }
  say(JSON.stringify([validation.findings.slice(0, 5), rig.broken.slice(0, 5)]));
  process.exitCode = 1;
}

/** What a test would look at, and a week of it is too much; gives back how many requests were seen. */
function forget(rig: Rig): number {
  const requests = rig.seen.length;
  rig.seen.length = 0;
  rig.details.length = 0;
  // What is retained stays known to the broker.
  rig.broker.delivered.length = 0;
  return requests;
}

function memory(): string {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return `heap ${mebibytes(heapUsed)}, resident ${mebibytes(rss)}`;
}

function seconds(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
