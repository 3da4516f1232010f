/** Migrations, ended at every place. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Level } from "level";
import { StoreError } from "../../src/core/errors.ts";
import type { Entry, Store } from "../../src/core/ports.ts";
import { encodeSpooled, keys, type Spooled } from "../../src/core/records.ts";
import { decodeRefused } from "../../src/core/refused.ts";
import { SpoolCheck } from "../../src/core/spool-check.ts";
import { encodeFrame } from "../../src/store/frame.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { FORMAT, STEPS, migrate, type Step } from "../../src/store/migrate.ts";
import { createClock } from "../../src/system/clock.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { createTempDir } from "../support/temp-dir.ts";

const FORMAT_1 = fileURLToPath(new URL("../ledgers/format-1", import.meta.url));
const clock = createClock();

function spooled(payload: string, topic = "readings/a/d"): Spooled {
  return { topic, retain: false, interval: 1000, slot: 7000, payload };
}

/** What version 1 may have left: refused messages without a reason, and holes in the spool. */
function version1(): Entry[] {
  const refused = [1, 2, 3].map((n) => {
    return { key: keys.quarantine("a", 7000, n), value: encodeSpooled(spooled(String(n))) };
  });
  const gap = JSON.stringify({ outcome: "dropped" });
  const messages = new Map([
    ...[4, 6, 9].map((n): [number, Spooled] => [n, spooled(String(n))]),
    // Numbers 10 to 19 were dropped on purpose, which this one tells.
    [20, spooled(gap, "gaps/a")],
  ]);
  const waiting = ["a", "b"].flatMap((stream) =>
    [...messages].map(([n, message]) => {
      return { key: keys.spool(stream, n), value: encodeSpooled(message) };
    }),
  );
  return [...refused, ...waiting, { key: "claim/a@1000", value: "[1,1,1,0,0,null]" }];
}

/** Migrates, and lets no more than `writes` writes through; gives back whether it came to its end. */
async function migrateUntil(store: Store, from: number, writes: number, steps = STEPS) {
  let left = writes;
  let format = from;
  const write: Store["write"] = (batch, sync) => {
    if (left-- <= 0) return Promise.reject(new StoreError("STORE_FAILED", "killed"));
    return store.write(batch, sync);
  };
  const cut = new Proxy(store, {
    get: (of, name) => {
      const own: unknown = name === "write" ? write : Reflect.get(of, name);
      return typeof own === "function" ? (own.bind(of) as unknown) : own;
    },
  });
  const reached = (to: number): Promise<void> => {
    format = to;
    return left-- <= 0
      ? Promise.reject(new StoreError("STORE_FAILED", "killed"))
      : Promise.resolve();
  };
  const isDone = await migrate(cut, from, reached, steps).then(
    () => true,
    () => false,
  );
  return { isDone, format };
}

void test("P2: a migration that is killed after any write goes on to the same end", async () => {
  const whole = createMemoryStore(version1());
  await migrate(whole, 1, () => Promise.resolve());
  for (let writes = 0; ; writes++) {
    const store = createMemoryStore(version1());
    const { isDone } = await migrateUntil(store, 1, writes);
    const disk = store.crash({ powerCut: true });
    await migrate(disk, 1, () => Promise.resolve());
    assert.deepEqual(disk.dump(), whole.dump(), `killed after ${String(writes)} writes`);
    if (isDone) break;
  }
});

void test("the step to version 2 gives refused messages a reason and leaves no hole in the spool", async () => {
  const store = createMemoryStore(version1());
  await migrate(store, 1, () => Promise.resolve());
  const [first] = await store.range({ from: keys.quarantineAll, to: "quarantine0" });
  const { at, reason, spooled: message } = decodeRefused(first?.value ?? "");
  assert.deepEqual([at, message.payload], [7000, "1"]);
  assert.match(reason, /did not keep why/);
  for (const stream of ["a", "b"]) {
    const missing: unknown[] = [];
    const check = new SpoolCheck((numbers) => missing.push(numbers));
    const numbers: number[] = [];
    for (const { key, value } of store.dump()) {
      if (!key.startsWith(`spool/${stream}/`)) continue;
      numbers.push(Number(key.split("/")[2]));
      check.add(key, value);
    }
    check.end();
    assert.deepEqual(missing, []);
    assert.deepEqual(numbers, [4, 5, 6, 7, 8, 9, 20], "what was dropped on purpose is no hole");
  }
  assert.equal(await store.get(keys.migrated), `{"from":1,"to":${String(FORMAT)}}`);
});

void test("steps are taken in their order, each once it was not reached, and the first version is remembered", async () => {
  const taken: string[] = [];
  const step = (name: string): Step => {
    return () => {
      taken.push(name);
      return Promise.resolve();
    };
  };
  const steps = [step("2"), step("3"), step("4")];
  const store = createMemoryStore();
  // Killed before it was kept that version 3 is reached: that step is taken again.
  const { format } = await migrateUntil(store, 2, 1, steps);
  assert.equal(format, 3);
  await migrate(store, 2, () => Promise.resolve(), steps);
  assert.deepEqual(taken, ["3", "3", "4"]);
  assert.equal(await store.get(keys.migrated), '{"from":2,"to":4}');
});

void test("a directory whose migration was killed is migrated by the next start, and older releases stay out", async (t) => {
  const directory = createTempDir(t);
  cpSync(FORMAT_1, directory, { recursive: true });
  const marker = join(directory, "edgepoll.json");
  const text = readFileSync(marker, "utf8");
  // As a kill leaves it before the steps: the database says where it stands, the marker whom to keep out.
  const database = new Level<string, Buffer>(join(directory, "db"), { valueEncoding: "buffer" });
  await database.put("!format", encodeFrame("!format", "1"));
  await database.close();
  writeFileSync(marker, text.replace('"format":1', `"format":${String(FORMAT)}`));
  const store = await openLevelStore(directory, { create: false, clock });
  assert.equal(await store.get(keys.migrated), `{"from":1,"to":${String(FORMAT)}}`);
  await store.write([{ key: keys.migrated }], true);
  await store.close();
  const again = await openLevelStore(directory, { create: false, clock });
  assert.equal(await again.get(keys.migrated), undefined, "once");
  await again.close();
});

void test("a directory that lost its format is damaged, not old", async (t) => {
  const directory = createTempDir(t);
  await (await openLevelStore(directory, { create: true, clock })).close();
  const database = new Level<string, Buffer>(join(directory, "db"), { valueEncoding: "buffer" });
  await database.del("!format");
  await database.close();
  await assert.rejects(openLevelStore(directory, { create: false, clock }), {
    code: "STORE_DAMAGED",
  });
});

void test("a new directory needs no migration", async (t) => {
  const directory = createTempDir(t);
  const store = await openLevelStore(directory, { create: true, clock });
  assert.equal(await store.get(keys.migrated), undefined);
  await store.close();
});
