import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openLevelStore } from "../../src/store/level-store.ts";
import { damageOf } from "../../src/store/log-check.ts";
import { createClock } from "../../src/system/clock.ts";
import { createTempDir } from "../support/temp-dir.ts";

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
