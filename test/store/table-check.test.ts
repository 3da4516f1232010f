import assert from "node:assert/strict";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { StoreError } from "../../src/core/errors.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { tablesOf } from "../../src/store/manifest.ts";
import { createClock } from "../../src/system/clock.ts";
import { createTempDir } from "../support/temp-dir.ts";

const clock = createClock();

/** A state directory whose last user was killed, with some tables. */
async function killed(t: TestContext): Promise<{ directory: string; tables: string[] }> {
  const directory = createTempDir(t);
  for (let n = 0; n < 4; n++) {
    const store = await openLevelStore(directory, { create: true, clock });
    await store.write([{ key: `k${String(n)}`, value: "x".repeat(5000) }], true);
    await store.close();
  }
  writeFileSync(join(directory, "db.in-use"), "");
  const tables = readdirSync(join(directory, "db")).filter((name) => name.endsWith(".ldb"));
  assert.ok(tables.length > 0);
  return { directory, tables };
}

test("the tables of a database are those that its manifest names", async (t) => {
  const { directory, tables } = await killed(t);
  const numbers = tables.map((name) => Number.parseInt(name, 10));
  assert.deepEqual([...tablesOf(join(directory, "db"))].sort(), numbers.sort());
});

test("a table that was being written when the process died is no damage", async (t) => {
  const { directory, tables } = await killed(t);
  const half = join(directory, "db", "000999.ldb");
  const whole = readFileSync(join(directory, "db", tables[0] ?? ""));
  writeFileSync(half, whole.subarray(0, whole.length / 2));
  const store = await openLevelStore(directory, { create: false, clock });
  assert.equal((await store.get("k0"))?.length, 5000);
  await store.close();
  assert.ok(!readdirSync(join(directory, "db")).includes("000999.ldb"), "LevelDB deletes it");
});

test("a table of the database with a flipped bit is damage, and where the manifest can't be read any is", async (t) => {
  const { directory, tables } = await killed(t);
  const path = join(directory, "db", tables[0] ?? "");
  const bytes = readFileSync(path);
  copyFileSync(path, `${path}.kept`);
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const refused = (error: unknown) =>
    error instanceof StoreError && error.message.includes(tables[0] ?? "");
  await assert.rejects(openLevelStore(directory, { create: false, clock }), refused);
  const manifest = readdirSync(join(directory, "db")).find((name) => name.startsWith("MANIFEST"));
  writeFileSync(join(directory, "db", manifest ?? ""), Buffer.alloc(100, 1));
  await assert.rejects(openLevelStore(directory, { create: false, clock }), StoreError);
});
