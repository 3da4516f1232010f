/** State directories that can't be used, and the lock of the one that is. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openLevelStore } from "../../src/store/level-store.ts";
import { storeBytes } from "../../src/store/size.ts";
import { createClock } from "../../src/system/clock.ts";
import { PROGRAM } from "../cli/program.ts";
import { faultRow } from "../support/fault-row.ts";
import { freePort } from "../support/mosquitto.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { startChild } from "../store/child.ts";

const NOBODY = 65_534;
const SOURCES = new URL("../../src/", import.meta.url);

/** Starts a node on a state directory, as nobody when this is root, who may everything. */
async function startOn(
  directory: string,
  stateDir: string,
): Promise<{ code: unknown; stderr: string }> {
  const config = join(directory, "edgepoll.yaml");
  const gateway = {
    id: "meter",
    connection: "simulator://energy-meter",
    interval: "1s",
    devices: [
      { id: "d", unitId: 1, points: [{ id: "p", table: "input", address: 0, type: "uint16" }] },
    ],
  };
  const mqtt = { embedded: { port: await freePort() } };
  writeFileSync(config, JSON.stringify({ node: "state", stateDir, mqtt, gateways: [gateway] }));
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn(process.execPath, [PROGRAM, "start", "--node", "--config", config], {
    ...user,
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, RUNTIME_DIRECTORY: directory },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code]: unknown[] = await once(child, "close");
  return { code, stderr };
}

/** A directory that the node's user owns and may read. */
function ownDir(t: TestContext): string {
  const directory = createTempDir(t);
  if (process.getuid?.() === 0) chownSync(directory, NOBODY, NOBODY);
  return directory;
}

faultRow(
  {
    id: "K6",
    fault: "the state directory is read-only, another user's, no directory, or can't be made",
    done: "a node is started as an unprivileged user on each of them",
    must: "the start is refused with 77 (permission) or 73, the path, and what to do; no stack trace",
  },
  async (t) => {
    const directory = ownDir(t);
    const own = (name: string, mode: number): string => {
      const path = join(directory, name);
      mkdirSync(path);
      if (process.getuid?.() === 0) chownSync(path, NOBODY, NOBODY);
      chmodSync(path, mode);
      return path;
    };
    const file = join(directory, "file");
    writeFileSync(file, "");
    const cases: [what: string, path: string, code: number][] = [
      ["read-only", own("read-only", 0o500), 77],
      ["another user's", "/usr/lib", 77],
      ["in another user's", "/usr/lib/edgepoll-state", 77],
      ["a file", file, 73],
      ["below a file", join(file, "state"), 73],
      ["where none can be made", "/proc/edgepoll-state", 73],
    ];
    const seen: string[] = [];
    for (const [what, path, expected] of cases) {
      const { code, stderr } = await startOn(directory, path);
      assert.equal(code, expected, `${what}: ${stderr}`);
      assert.ok(stderr.includes(path), stderr);
      assert.match(stderr, /--state-dir/);
      assert.doesNotMatch(stderr, /\n\s+at /);
      seen.push(`${what}: ${String(code)}`);
    }
    return seen.join("; ");
  },
);

faultRow(
  {
    id: "K10",
    fault: "LevelDB's file LOCK is opened by the process that holds it, which would drop the lock",
    done: "the sources are searched for the name; a second process opens the database while the first counts its bytes and looks at its files",
    must: "no source of ours names the file; the second process is refused",
  },
  async (t) => {
    const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    const naming = sources.filter((name) => {
      return /["'`/]LOCK["'`]/.test(readFileSync(new URL(name, SOURCES), "utf8"));
    });
    assert.deepEqual(naming, []);
    const directory = createTempDir(t);
    const child = await startChild(t, directory);
    assert.equal(await child.ask("bytes"), storeBytes(directory));
    const second = openLevelStore(directory, { create: false, clock: createClock() });
    await assert.rejects(second, { code: "ALREADY_RUNNING" });
    return `${String(sources.length)} sources, none names it; the second process is refused`;
  },
);
