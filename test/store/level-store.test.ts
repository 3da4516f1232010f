import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Level } from "level";
import { LockedError, StateDirectoryError, StoreError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/ports.ts";
import { encodeFrame } from "../../src/store/frame.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { startChild } from "./child.ts";
import { put, runStoreSuite } from "./store.suite.ts";

const clock = createClock();
const open = (directory: string, create = true): Promise<Store> =>
  openLevelStore(directory, { create, clock });

runStoreSuite("level store", (context) => open(createTempDir(context)));

/** A state directory with one record in it, closed. */
async function filled(context: TestContext): Promise<string> {
  const directory = createTempDir(context);
  const store = await open(directory);
  await put(store, { kept: "1" });
  await store.close();
  return directory;
}

/** Changes the database behind the store's back. */
async function tamper(directory: string, key: string, frame: Buffer): Promise<void> {
  const database = new Level<string, Buffer>(join(directory, "db"), { valueEncoding: "buffer" });
  await database.put(key, frame);
  await database.close();
}

const NOBODY = 65_534;

void test("a reopened store has everything", async (context) => {
  const store = await open(await filled(context), false);
  assert.equal(await store.get("kept"), "1");
  await store.close();
});

void test("the store's own record is in no range, and its key is refused", async (context) => {
  const store = await open(createTempDir(context));
  assert.deepEqual(await store.range({ from: "", to: "~" }), []);
  await assert.rejects(put(store, { "!id": "x" }), { code: "STORE_FAILED" });
  await store.close();
});

void test("a second process is refused while the first lives, and not after its kill", async (context) => {
  const directory = createTempDir(context);
  const child = await startChild(context, directory);
  await assert.rejects(open(directory), (error: unknown) => {
    assert.ok(error instanceof LockedError);
    assert.equal(error.code, "ALREADY_RUNNING");
    return true;
  });
  await child.kill();
  const store = await open(directory);
  assert.equal(await store.get("k99"), "x".repeat(1000));
  await store.close();
});

void test("a kill at any moment of the first open leaves a directory that opens", async (context) => {
  const directory = await filled(context);
  renameSync(join(directory, "db"), join(directory, "db.new"));
  const renamed = await open(directory, false);
  await renamed.close();
  mkdirSync(join(directory, "db.new"));
  const store = await open(directory, false);
  assert.equal(await store.get("kept"), "1");
  await store.close();
  rmdirSync(join(directory, "db.new"));
  renameSync(join(directory, "db"), join(directory, "db.new"));
  rmSync(join(directory, "edgepoll.json"));
  const fresh = await open(directory);
  assert.equal(await fresh.get("kept"), undefined);
  await fresh.close();
  assert.equal(existsSync(join(directory, "db.new")), false);
});

void test("a damaged record is an error that names its key, alone and in a range", async (context) => {
  const directory = await filled(context);
  const frame = encodeFrame("bad", "100");
  frame[6] = 0x31;
  await tamper(directory, "bad", frame);
  const store = await open(directory, false);
  await assert.rejects(store.get("bad"), { code: "STORE_DAMAGED", cause: { key: "bad" } });
  await assert.rejects(store.range({ from: "a", to: "z" }), { message: /"bad"/ });
  const bad: string[] = [];
  const damaged = (key: string): unknown => bad.push(key);
  const found = await store.range({ from: "a", to: "z", damaged });
  assert.deepEqual([found, bad], [[{ key: "kept", value: "1" }], ["bad"]]);
  assert.equal(await store.get("kept"), "1");
  await store.close();
});

void test("a record and a directory of a newer edgepoll are refused", async (context) => {
  const directory = await filled(context);
  await tamper(directory, "new", encodeFrame("new", "1", 9));
  const store = await open(directory, false);
  await assert.rejects(store.get("new"), { code: "STORE_VERSION" });
  await store.close();
  writeFileSync(join(directory, "edgepoll.json"), '{"format":99,"id":"x"}');
  await assert.rejects(open(directory), { code: "STORE_VERSION" });
});

const losses: Record<string, (directory: string) => void> = {
  "file CURRENT": (directory) => {
    rmSync(join(directory, "db", "CURRENT"));
  },
  "database directory": (directory) => {
    rmSync(join(directory, "db"), { recursive: true });
  },
  marker: (directory) => {
    rmSync(join(directory, "edgepoll.json"));
  },
  "marker's text": (directory) => {
    writeFileSync(join(directory, "edgepoll.json"), "");
  },
  "database, which is a file": (directory) => {
    rmSync(join(directory, "db"), { recursive: true });
    writeFileSync(join(directory, "db"), "");
  },
};
for (const [what, lose] of Object.entries(losses)) {
  void test(`a directory that lost its ${what} is refused and not touched`, async (context) => {
    const directory = await filled(context);
    lose(directory);
    const before = readdirSync(directory, { recursive: true });
    await assert.rejects(open(directory), (error: unknown) => {
      assert.ok(error instanceof StateDirectoryError || error instanceof StoreError);
      assert.ok(["STATE_DIRECTORY", "STORE_DAMAGED"].includes(error.code));
      assert.match(error.message, /from a backup/);
      return true;
    });
    assert.deepEqual(readdirSync(directory, { recursive: true }), before);
  });
}

void test("a database beside another's marker is refused", async (context) => {
  const [mine, other] = [await filled(context), await filled(context)];
  renameSync(join(other, "edgepoll.json"), join(mine, "edgepoll.json"));
  await assert.rejects(open(mine), { code: "STATE_DIRECTORY", message: /does not belong/ });
});

void test("without create nothing is made", async (context) => {
  const directory = createTempDir(context);
  await assert.rejects(open(directory, false), { code: "STATE_DIRECTORY" });
  assert.deepEqual(readdirSync(directory), []);
});

void test("a file, a named pipe and nothing are no state directory", async (context) => {
  const directory = createTempDir(context);
  writeFileSync(join(directory, "file"), "");
  const names = ["file", "absent"];
  if (platform() !== "win32") {
    execFileSync("mkfifo", [join(directory, "pipe")]);
    names.push("pipe");
  }
  for (const name of names) {
    await assert.rejects(open(join(directory, name)), { code: "STATE_DIRECTORY" });
  }
});

void test(
  "a full disk fails the write, and once there is room the same store goes on with all it confirmed",
  { skip: platform() !== "linux" },
  async (context) => {
    const child = await startChild(context, createTempDir(context));
    const limit = (bytes: string): void => {
      execFileSync("prlimit", ["--pid", String(child.pid), `--fsize=${bytes}:`]);
    };
    limit("0");
    assert.equal(await child.ask("write"), "STORE_FAILED");
    assert.equal(await child.ask("write"), "STORE_FAILED");
    limit("unlimited");
    assert.equal(await child.ask("write"), "written");
    assert.equal(await child.ask("lost"), 0);
  },
);

void test("a close that the disk does not finish ends after its limit", async (context) => {
  const hasty = {
    timer: (_: number, wake: () => void) => {
      queueMicrotask(wake);
      return () => undefined;
    },
  };
  const store = await openLevelStore(createTempDir(context), { create: true, clock: hasty });
  await assert.rejects(store.close(), { code: "STORE_FAILED", message: /did not close/ });
});

void test(
  "a directory of another user is a matter of permission",
  { skip: platform() !== "linux" },
  async (context) => {
    const directory = await filled(context);
    chmodSync(directory, 0o755);
    chmodSync(join(directory, "db"), 0o500);
    // Root may everything: it acts as nobody for the moment.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      await assert.rejects(open(directory), { code: "PERMISSION" });
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(join(directory, "db"), 0o700);
    }
  },
);
