/** What the rows of the disk do, in a process whose disk obeys: `disk-program.ts SCENARIO DIRECTORY CONTROL`. */
import assert from "node:assert/strict";
import { INTERVAL, startDiskStation, type DiskStation } from "../support/disk-station.ts";
import { ERRNO, setFault, type DiskFault } from "../support/fault-disk.ts";
import { ledgerOf, readRecords } from "../support/ledger-reader.ts";

/** Gives up the outcome of a poll that can't be written, ms. */
const GIVE_UP = 10_000;
const FULL: DiskFault = { calls: "all", errno: ERRNO.ENOSPC };

const [, , scenario = "", directory = "", control = ""] = process.argv;

/** One fault from a certain moment on, and what came of it. */
interface Outage {
  readonly begin: (station: DiskStation) => Promise<void>;
  /** ms. */
  readonly length: number;
  /** What slots may have come to besides good. */
  readonly outcomes: readonly string[];
}

const atClaim = (fault: DiskFault) => (station: DiskStation) => {
  station.onWrite = (batch) => {
    if (!batch.some(({ key }) => key.startsWith("claim/"))) return;
    setFault(control, fault);
    station.onWrite = () => undefined;
  };
  return station.clock.advance(INTERVAL);
};

const atOutcome = (station: DiskStation): Promise<void> => {
  station.onAsked = () => {
    setFault(control, FULL);
    station.onAsked = () => undefined;
  };
  return station.clock.advance(INTERVAL);
};

const SCENARIOS: Readonly<Record<string, readonly Outage[]>> = {
  claim: [{ begin: atClaim(FULL), length: 5000, outcomes: ["missed:store"] }],
  outcome: [
    { begin: atOutcome, length: 5000, outcomes: ["missed:store"] },
    { begin: atOutcome, length: GIVE_UP + 5000, outcomes: ["missed:store", "unknown:store"] },
  ],
  compaction: [{ begin: atCompaction, length: 5000, outcomes: ["missed:store"] }],
  "read-only": [
    {
      begin: atClaim({ calls: "all", errno: ERRNO.EROFS }),
      length: 5000,
      outcomes: ["missed:store"],
    },
  ],
};

/** The disk is full when LevelDB has begun a new log and writes the table of the old one. */
async function atCompaction({ store, clock }: DiskStation): Promise<void> {
  const value = "x".repeat(1000);
  for (let n = 0; n < 3000; n += 1) await store.write([{ key: `z${String(n)}`, value }], false);
  setFault(control, { calls: "open", errno: ERRNO.ENOSPC, nth: 2 });
  await store.compact({ from: "z", to: "~" });
  setFault(control, FULL);
  await clock.advance(INTERVAL);
}

async function outages(of: readonly Outage[]): Promise<string> {
  const station = await startDiskStation(directory);
  const { clock, asked } = station;
  const expected = new Set(["good"]);
  const seen: string[] = [];
  await clock.advance(3 * INTERVAL);
  for (const { begin, length, outcomes } of of) {
    for (const outcome of outcomes) expected.add(outcome);
    await begin(station);
    await clock.advance(INTERVAL);
    const { store } = await station.health();
    assert.equal(store.state, "failing");
    const before = asked.length;
    await clock.advance(length - INTERVAL);
    assert.equal(asked.length, before, "nothing is asked while nothing can be claimed");
    setFault(control);
    const freed = clock.elapsed();
    await clock.advance(3 * INTERVAL);
    const first = asked[before]?.at ?? Infinity;
    assert.ok(first <= freed + 2 * INTERVAL, "polling resumes within two intervals");
    assert.equal((await station.health()).store.state, "ok");
    seen.push(`asked again ${String(first - freed)} ms after`);
  }
  await station.stop();
  const counts = await verdict(station);
  assert.deepEqual(new Set(counts.keys()), expected);
  return `${seen.join(", ")}; slots: ${tally(counts)}; every confirmed record is there`;
}

/** EIO at the n-th sync, for each n once, in one run. */
async function eio(): Promise<string> {
  const station = await startDiskStation(directory);
  const { clock } = station;
  let failed = 0;
  for (let nth = 1; nth <= 50; nth += 1) {
    setFault(control, { calls: "sync", errno: ERRNO.EIO, nth });
    let isFailing = false;
    // A failed claim is tried again after a quarter of a second, and may be well by then.
    for (let step = 0; step < 200 && !isFailing; step += 1) {
      await clock.advance(INTERVAL / 5);
      isFailing = (await station.health()).store.state === "failing";
    }
    if (isFailing) failed += 1;
    await clock.advance(INTERVAL);
    assert.equal((await station.health()).store.state, "ok", `after the failure at ${String(nth)}`);
  }
  assert.equal(failed, 50);
  setFault(control);
  await station.stop();
  const counts = await verdict(station);
  return `${String(failed)} of 50 seen as store failing; slots: ${tally(counts)}; every confirmed record is there, nothing was asked twice or unclaimed`;
}

/** Holds what is on disk, read by a decoder of its own, to what was confirmed and to what was asked. */
async function verdict(station: DiskStation): Promise<Map<string, number>> {
  assert.deepEqual(station.broken, []);
  const disk = new Map(await readRecords(directory));
  for (const [key, may] of station.held()) {
    assert.ok(may.has(disk.get(key)), `${key} holds what nobody confirmed`);
  }
  const counts = new Map<string, number>();
  const accounts = ledgerOf(disk);
  assert.equal(accounts.length, 2);
  for (const { gateway, claimed, entries } of accounts) {
    let last = 0;
    let polled = 0;
    for (const { from, to, outcome } of entries) {
      assert.equal(from, last + 1, `${gateway} has a hole or a double`);
      last = to;
      counts.set(outcome, (counts.get(outcome) ?? 0) + to - from + 1);
      if (!outcome.startsWith("missed")) polled += to - from + 1;
    }
    assert.equal(last, claimed);
    assert.equal(polled, station.asked.filter((one) => one.gateway === gateway).length);
  }
  return counts;
}

function tally(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([outcome, count]) => `${outcome} ${String(count)}`).join(", ");
}

const outage = SCENARIOS[scenario];
process.stdout.write(await (outage === undefined ? eio() : outages(outage)));
