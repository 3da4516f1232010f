/** A state directory that may be read and not written, such as a copy that somebody was sent. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keys } from "../../src/core/records.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { PROGRAM, type Ended } from "./program.ts";

const NOBODY = 65_534;

/** Root may write everywhere: then somebody else runs it. */
function runUnprivileged(...args: string[]): Promise<Ended> {
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const options = { ...user, timeout: 60_000, env: { PATH: process.env["PATH"] } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

test("events, validate and audit read a state directory that may not be written, and leave it as it is", async (t) => {
  const directory = createTempDir(t);
  chmodSync(directory, 0o755);
  const stateDir = join(directory, "state");
  mkdirSync(stateDir);
  const store = await openLevelStore(stateDir, { create: true, clock: createClock() });
  const event = { node: "n", at: 1000, kind: "node-started", by: null, text: "n started" };
  await store.write([{ key: keys.audit(1000, 0), value: JSON.stringify(event) }], true);
  // From the log into a table: those are linked, all else is copied.
  await store.compact({ from: "!", to: "~" });
  await store.close();
  const folders = [stateDir, join(stateDir, "db")];
  for (const folder of folders) {
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o555);
    chmodSync(folder, 0o555);
  }
  const listed = () => folders.map((folder) => readdirSync(folder).sort());
  const before = listed();
  assert.ok(before.flat().some((name) => name.endsWith(".ldb")));
  const at = ["--state-dir", stateDir];
  const events = await runUnprivileged("events", ...at, "--json");
  assert.deepEqual([events.code, events.stdout], [0, `${JSON.stringify(event)}\n`], events.stderr);
  const validate = await runUnprivileged("validate", ...at);
  assert.equal(validate.code, 0, validate.stderr);
  assert.match(validate.stdout, /every slot is accounted for/);
  const audit = await runUnprivileged("audit", ...at, "--json");
  assert.match(audit.stdout, /^\{"findings":/, audit.stderr);
  const stop = await runUnprivileged("stop", ...at);
  assert.equal(stop.code, 77);
  assert.match(stop.stderr, new RegExp(`May not use the state directory ${stateDir}`));
  assert.deepEqual(listed(), before);
});
