/** `backup` where it fails: nothing says that there is one. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { PROGRAM, createPlace, type Place } from "./program.ts";

/** Backs up in a process whose files may be so many blocks long; gives back its exit code and what it said. */
async function cramped(
  { directory, node }: Place,
  blocks: number,
): Promise<{ code: unknown; text: string }> {
  const command = [process.execPath, PROGRAM, "backup", join(directory, "b"), ...node];
  const script = `ulimit -f ${String(blocks)} && exec "$@"`;
  const child = spawn("sh", ["-c", script, "sh", ...command], {
    env: { ...process.env, RUNTIME_DIRECTORY: directory },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => (text += part));
  const [code]: unknown[] = await once(child, "close");
  return { code, text };
}

test("a backup that a node was asked for is on its audit trail once the file is whole", async (t) => {
  const place = await createPlace(t);
  const { directory, node } = place;
  const running = place.begin("start", ...node);
  await running.line(/^watch it/);
  const failed = await cramped(place, 1);
  assert.equal(failed.code, 74, failed.text);
  assert.ok(!existsSync(join(directory, "b")));
  assert.doesNotMatch((await place.run("events", ...node)).stdout, /backed-up/);
  const made = await place.run("backup", join(directory, "b"), ...node);
  assert.equal(made.code, 0, made.stderr);
  assert.match((await place.run("events", ...node)).stdout, /backed-up .* made by cli/);
  running.signal("SIGTERM");
  await running.ended;
});

test("the same of one that is made without a node", async (t) => {
  const place = await createPlace(t);
  const { directory, node } = place;
  const stateDir = join(directory, "state");
  mkdirSync(stateDir);
  const store = await openLevelStore(stateDir, { create: true, clock: createClock() });
  // All of it is written at the end, and does not fit then; a database that compresses has room.
  const value = "x".repeat(10_000);
  const batch = Array.from({ length: 5 }, (_, n) => ({ key: `total/a/${String(n)}`, value }));
  await store.write(batch, true);
  await store.close();
  const failed = await cramped(place, 40);
  assert.equal(failed.code, 74, failed.text);
  assert.ok(!existsSync(join(directory, "b")));
  assert.doesNotMatch((await place.run("events", ...node)).stdout, /backed-up/);
  const made = await place.run("backup", join(directory, "b"), ...node);
  assert.equal(made.code, 0, made.stderr);
  assert.match((await place.run("events", ...node)).stdout, /backed-up .* made by cli/);
});
