import assert from "node:assert/strict";
import { cpSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openLevelStore } from "../../src/store/level-store.ts";
import { damageOf } from "../../src/store/log-check.ts";
import { createClock } from "../../src/system/clock.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** What a file system writes at once. */
const PAGE = 4096;

/** A log as LevelDB writes it: records of all lengths, over several blocks. */
async function logOf(t: TestContext): Promise<Buffer> {
  const directory = createTempDir(t);
  const store = await openLevelStore(directory, { create: true, clock: createClock() });
  for (let n = 0; n < 200; n++) {
    await store.write([{ key: `k${String(n)}`, value: "x".repeat((n * 7919) % 3000) }], false);
  }
  const path = join(directory, "db");
  const name = readdirSync(path).find((one) => one.endsWith(".log"));
  assert.ok(name !== undefined);
  const log = readFileSync(join(path, name));
  await store.close();
  assert.ok(log.length > 4 * 32_768);
  return log;
}

test("an intact log is intact, and so is one that ends anywhere, as after a power cut", async (t) => {
  const log = await logOf(t);
  assert.equal(damageOf(log), undefined);
  for (let end = 0; end < log.length; end += 997) {
    assert.equal(damageOf(log.subarray(0, end)), undefined, `cut at ${String(end)}`);
  }
  const zeros = Buffer.concat([log.subarray(0, 50_001), Buffer.alloc(9999)]);
  assert.equal(damageOf(zeros), undefined, "the rest was never written");
});

test("a flipped bit with intact records behind it is damage, wherever it is", async (t) => {
  const log = await logOf(t);
  for (let at = 0; at < log.length - 70_000; at += 1009) {
    const copy = Buffer.from(log);
    copy[at] = (copy[at] ?? 0) ^ 4;
    const found = damageOf(copy);
    assert.ok(found !== undefined && found <= at, `flipped at ${String(at)}`);
  }
});

test("a part that is missing in the write that was on its way is what a power cut leaves, in any other it is damage", async (t) => {
  const directory = createTempDir(t);
  const store = await openLevelStore(directory, { create: true, clock: createClock() });
  const sizes: number[] = [];
  const path = join(directory, "db");
  const name = readdirSync(path).find((one) => one.endsWith(".log")) ?? "";
  // Each a record in several blocks.
  for (let n = 0; n < 3; n++) {
    sizes.push(statSync(join(path, name)).size);
    await store.write([{ key: `k${String(n)}`, value: "x".repeat(150_000 + n) }], true);
  }
  const log = readFileSync(join(path, name));
  await store.close();
  const [, second = 0, last = 0] = sizes;
  for (const [from, isDamage] of [
    [last, false],
    [second, true],
  ] as const) {
    for (let page = from - (from % PAGE); page < from + 150_000; page += PAGE) {
      const cut = Buffer.from(log);
      cut.fill(0, Math.max(from, page), Math.min(page + PAGE, log.length));
      assert.equal(damageOf(cut) !== undefined, isDamage, `${String(from)}, ${String(page)}`);
      // A flipped bit is not what was never written.
      const flipped = Buffer.from(log);
      const at = Math.max(from, page) + 100;
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      // In the last block of all nothing lies behind: it can't be told from a torn end.
      if (at < log.length - (log.length % 32_768))
        assert.notEqual(damageOf(flipped), undefined, `flipped at ${String(at)}`);
    }
  }
});

test("P3: a store with a hole in the write that was on its way opens with all that was confirmed", async (t) => {
  const directory = createTempDir(t);
  const store = await openLevelStore(directory, { create: true, clock: createClock() });
  t.after(() => store.close());
  const values = ["a", "b", "c"].map((letter) => letter.repeat(150_000));
  for (const [n, value] of values.entries()) {
    await store.write([{ key: `k${String(n)}`, value }], true);
  }
  const cut = createTempDir(t);
  cpSync(directory, cut, { recursive: true });
  const path = join(cut, "db");
  const name = readdirSync(path).find((one) => one.endsWith(".log")) ?? "";
  const log = readFileSync(join(path, name));
  log.fill(0, 90 * PAGE, 91 * PAGE);
  writeFileSync(join(path, name), log);
  const again = await openLevelStore(cut, { create: false, clock: createClock() });
  assert.equal(await again.get("k0"), values[0]);
  assert.equal(await again.get("k1"), values[1]);
  assert.equal(await again.get("k2"), undefined);
  await again.close();
});
