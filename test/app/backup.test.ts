/** What a backup holds, and what becomes of it when it is restored. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { backupAnswer, recordText } from "../../src/app/backup-lines.ts";
import { backupOffline } from "../../src/app/backup.ts";
import { checkBackup, restoreBackup } from "../../src/app/restore.ts";
import type { Entry } from "../../src/core/ports.ts";
import {
  decodeClaim,
  decodeLedger,
  encodeClaim,
  EVERYTHING,
  keys,
} from "../../src/core/records.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { claimOf, outcomesOf } from "../engine/reading.ts";
import { Rig, siteOf } from "../engine/rig.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** Long against the time that a restore takes. */
const INTERVAL = 60_000;
const GATEWAY = { id: "a", devices: { d: [INTERVAL] }, phase: 0 };
const PARTS = { gateways: [GATEWAY], claimAhead: 3 * INTERVAL };
const ID = `a@${String(INTERVAL)}`;

/** A node that has polled while the broker was away, and has claimed slots ahead. */
async function polled(): Promise<Rig> {
  const rig = new Rig(PARTS);
  await rig.start();
  rig.broker.away();
  await rig.clock.advance(5.5 * INTERVAL);
  return rig;
}

async function entriesOf(stateDir: string): Promise<Map<string, string>> {
  const store = await openLevelStore(stateDir, { create: false, clock: createClock() });
  const entries: Entry[] = [];
  for await (const page of store.scan(EVERYTHING)) entries.push(...page);
  await store.close();
  return new Map(entries.map(({ key, value }) => [key, value]));
}

async function write(stateDir: string, entries: readonly Entry[], create: boolean): Promise<void> {
  const store = await openLevelStore(stateDir, { create, clock: createClock() });
  await store.write(entries, true);
  await store.close();
}

function waitingIn(entries: ReadonlyMap<string, string>): [string, string][] {
  return [...entries].filter(([key]) => key.startsWith(keys.spoolStream("a")));
}

test("a node that runs gives all its records, what waits for the broker among them", async () => {
  const rig = await polled();
  const before = rig.store.dump();
  assert.ok(rig.disk(keys.spoolStream("a")).size >= 5);
  const { lines } = backupAnswer(rig.engine, siteOf(PARTS));
  const told: string[] = [];
  for await (const line of lines) told.push(line);
  const end = JSON.stringify({ ok: true, data: before.length });
  assert.deepEqual(told, [...before.map(recordText), end]);
  await rig.stop();
});

test("restored: claims without outcome are unknown, what waited waits, and a later epoch begins an interval away", async (t) => {
  const rig = await polled();
  const { epoch, claimed } = claimOf(rig, ID);
  const done = Object.keys(outcomesOf(rig, ID)).length;
  assert.ok(claimed > done);
  rig.crash({});
  const stateDir = createTempDir(t);
  await write(stateDir, rig.store.dump(), true);
  const waited = waitingIn(await entriesOf(stateDir));
  const file = join(createTempDir(t), "b");
  await backupOffline(stateDir, file, false, "test");
  // The life that went on since has begun an epoch that no clock would give.
  const latest = epoch + 1_000_000_000;
  const claim = { epoch: latest, claimed: 9, settled: 9, slot: 0, due: 0, boot: "" };
  await write(stateDir, [{ key: keys.claim(ID), value: encodeClaim(claim) }], false);
  const wall = Date.now();
  await restoreBackup(stateDir, file, await checkBackup(file), "test");

  const after = await entriesOf(stateDir);
  assert.deepEqual(waitingIn(after), waited);
  const fresh = decodeClaim(after.get(keys.claim(ID)) ?? "");
  assert.deepEqual([fresh.epoch, fresh.claimed], [latest + 1, 0]);
  assert.ok(fresh.slot >= wall - 1, "the slot before the first is still to come");
  const key = keys.outcome(ID, epoch, done + 1);
  const last = decodeLedger(key, after.get(key) ?? "");
  assert.ok(last.kind === "run");
  const {
    from,
    to,
    absence: { outcome },
  } = last.run;
  assert.deepEqual([from, to, outcome], [done + 1, claimed, "unknown"]);
});
