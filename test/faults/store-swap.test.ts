/** A restore and a repair that are killed at every step: the next start finds the old state or the new one. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { backupOffline } from "../../src/app/backup.ts";
import { isDamage, repairStore } from "../../src/app/repair.ts";
import { keys } from "../../src/core/records.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { PROGRAM } from "../cli/program.ts";
import { faultRow } from "../support/fault-row.ts";
import { freePort } from "../support/mosquitto.ts";
import { buildShim, readRecord, type Shim } from "../support/shim.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { contentOf, copyOf, ledger } from "./store-ledger.ts";

/** Steps before the swap at which a kill comes too: of making the new database. */
const EARLIER = 1;
/** ms: some thirty processes are started and killed. */
const LIMIT = 150_000;
const MARK = "meta/state";
const quiet = (): void => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** A command that is killed, with all processes that it started, after so many steps on the disk. */
interface Deed {
  readonly words: readonly string[];
  readonly stateDir: string;
  readonly after: number;
}

/** Runs it; gives back the steps that were made: syncs, renames and removals. */
async function killed(t: TestContext, shim: Shim, { words, stateDir, after }: Deed) {
  const directory = createTempDir(t);
  const record = join(directory, "record");
  const child = spawn(process.execPath, [PROGRAM, ...words, "--state-dir", stateDir], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      ...shim.environment(stateDir, record),
      EDGEPOLL_SHIM_KILL: String(after),
      RUNTIME_DIRECTORY: directory,
    },
  });
  const group = -(child.pid ?? 0);
  const end = (): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(group, "SIGKILL");
  };
  t.after(end);
  // A node that polls has left all of this behind.
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (text.includes("polling")) end();
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [, signal]: unknown[] = await once(child, "close");
  const steps = readRecord(record).map(({ deed, path, other }) => {
    return [deed, path, other].join(" ").replaceAll(`${stateDir}/`, "").trim();
  });
  return { wasKilled: signal === "SIGKILL", steps, stderr };
}

/** Numbers of the steps of a swap and of some before, given those of a deed that was killed long after. */
function stepsOf(steps: readonly string[], made: string): number[] {
  const ready = steps.indexOf(`rename ${made} db.new`);
  const marker = "rename edgepoll.json.new edgepoll.json";
  const settled = steps.indexOf(marker, steps.indexOf(marker, ready) + 1);
  assert.ok(ready > EARLIER && settled > ready, steps.join("\n"));
  const early = Array.from({ length: EARLIER }, (_, n) => 1 + Math.floor((n * ready) / EARLIER));
  return [...early, ...Array.from({ length: settled - ready + 1 }, (_, n) => ready + n)];
}

/** What the next start finds: the content, or that the database is damaged. */
async function foundIn(directory: string): Promise<Map<string, string> | "damaged"> {
  try {
    return await contentOf(directory);
  } catch (error) {
    assert.ok(isDamage(error), String(error));
    return "damaged";
  }
}

faultRow(
  {
    id: "K15a",
    fault: "a restore is killed",
    done: "SIGKILL after every step of the swap of the databases, and at some of making the new one; then the state directory is opened as by a start",
    must: "it holds the old state or the restored one, whole; a restore that did not come to pass can be made again",
  },
  async (t) => {
    const shim = buildShim(t);
    const old = await ledger(t);
    await marked(old, "of the backup");
    const file = join(createTempDir(t), "old.backup");
    await backupOffline(old, file, false, "test");
    await marked(old, "of today");
    const before = await contentOf(old);
    const words = ["restore", file, "--yes"];
    const whole = copyOf(t, old);
    const first = await killed(t, shim, { words, stateDir: whole, after: 0 });
    assert.ok(!first.wasKilled, first.stderr);
    const restored = [...(await contentOf(whole)).keys()].filter((key) => isKept(key)).sort();
    const seen = { old: 0, new: 0 };
    for (const after of stepsOf(first.steps, "db.restore")) {
      const stateDir = copyOf(t, old);
      const { wasKilled, steps } = await killed(t, shim, { words, stateDir, after });
      const what = `killed after ${steps.at(-1) ?? "nothing"}`;
      assert.ok(wasKilled, `${String(after)} of ${String(first.steps.length)} steps`);
      let found = await contentOf(stateDir);
      if (found.get(MARK) === "of today") {
        assert.deepEqual(found, before, what);
        seen.old += 1;
        if (!existsSync(join(stateDir, "db.new"))) continue;
        await killed(t, shim, { words, stateDir, after: 0 });
        found = await contentOf(stateDir);
      } else seen.new += 1;
      assert.equal(found.get(MARK), "of the backup", what);
      assert.deepEqual([...found.keys()].filter((key) => isKept(key)).sort(), restored, what);
    }
    assert.ok(seen.old > 1 && seen.new > 1, JSON.stringify(seen));
    return `${String(seen.old + seen.new)} kills: ${String(seen.old)} left the old state, ${String(seen.new)} the restored one, nothing else`;
  },
  LIMIT,
);

faultRow(
  {
    id: "K15b",
    fault: "start --repair is killed",
    done: "the log of a database is damaged and its marker can't be understood; SIGKILL after every step of the swap of the databases, and at some of making the new one; then the state directory is opened as by a start",
    must: "it is refused with the damaged files as they were, or holds the repaired state, whole; what was refused can still be repaired",
  },
  async (t) => {
    const shim = buildShim(t);
    const sound = await ledger(t);
    const words = ["start", "--node", "--repair", "--config", await writeConfig(t)];
    const seen = { refused: 0, repaired: 0 };
    const harmed = copyOf(t, sound);
    flipLog(harmed);
    blankMarker(harmed);
    const whole = copyOf(t, harmed);
    await repairStore(whole, SILENT);
    const repaired = (await contentOf(whole)).size;
    const first = await killed(t, shim, { words, stateDir: copyOf(t, harmed), after: 0 });
    for (const after of stepsOf(first.steps, "db.repair")) {
      const stateDir = copyOf(t, harmed);
      const { wasKilled, steps } = await killed(t, shim, { words, stateDir, after });
      const what = `killed after ${steps.at(-1) ?? "nothing"}`;
      assert.ok(wasKilled, what);
      let found = await foundIn(stateDir);
      if (found === "damaged") {
        assert.deepEqual(filesOf(stateDir), filesOf(harmed), what);
        seen.refused += 1;
        await repairStore(stateDir, SILENT);
        found = await contentOf(stateDir);
      } else seen.repaired += 1;
      assert.ok(found.has(keys.repaired), what);
      assert.equal(found.size, repaired, what);
    }
    assert.ok(seen.refused > 1 && seen.repaired > 1, JSON.stringify(seen));
    return `${String(seen.refused + seen.repaired)} kills: ${String(seen.refused)} left the damaged files as they were, ${String(seen.repaired)} the repaired state, nothing else`;
  },
  LIMIT,
);

async function marked(directory: string, value: string): Promise<void> {
  const store = await openLevelStore(directory, { create: false, clock: createClock() });
  await store.write([{ key: MARK, value }], true);
  await store.close();
}

/** The keys of audit records have the time in them. */
function isKept(key: string): boolean {
  return !key.startsWith(keys.audits);
}

function filesOf(directory: string): string[] {
  const path = join(directory, "db");
  return readdirSync(path)
    .sort()
    .map((name) => `${name} ${readFileSync(join(path, name)).toString("base64")}`);
}

/** One bit in the middle of the log. */
function flipLog(directory: string): void {
  const path = join(directory, "db");
  const [log] = readdirSync(path).filter((name) => name.endsWith(".log"));
  assert.ok(log !== undefined);
  const bytes = readFileSync(join(path, log));
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(path, log), bytes);
}

function blankMarker(directory: string): void {
  writeFileSync(join(directory, "edgepoll.json"), "{}");
}

async function writeConfig(t: TestContext): Promise<string> {
  const config = join(createTempDir(t), "edgepoll.yaml");
  const gateway = {
    ...{ id: "a", connection: "simulator://energy-meter", interval: "1s" },
    devices: [
      { id: "d", unitId: 1, points: [{ id: "p", table: "input", address: 0, type: "uint16" }] },
    ],
  };
  const mqtt = { embedded: { port: await freePort() } };
  writeFileSync(config, JSON.stringify({ node: "swap", mqtt, gateways: [gateway] }));
  return config;
}
