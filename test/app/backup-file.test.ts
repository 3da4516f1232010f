/** A backup file: whatever happens to it, it is whole or refused; nothing is ever replaced unasked. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { crc32 } from "node:zlib";
import {
  BackupWriter,
  readBackup,
  readBackupHead,
  type BackupOrigin,
} from "../../src/app/backup-file.ts";
import { recordText } from "../../src/app/backup-lines.ts";
import { NewFile } from "../../src/app/new-file.ts";
import { checkBackup, restoreBackup } from "../../src/app/restore.ts";
import { BackupError, FileError } from "../../src/core/errors.ts";
import type { Entry } from "../../src/core/ports.ts";
import { encodeSpooled, keys } from "../../src/core/records.ts";
import { decodeRefused } from "../../src/core/refused.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { FORMAT } from "../../src/store/migrate.ts";
import { createClock } from "../../src/system/clock.ts";
import { createTempDir } from "../support/temp-dir.ts";

const ORIGIN = { node: "plant-a", at: 1_795_470_000_000, version: "0.1.0" };
const ENTRIES: readonly Entry[] = [
  { key: "audit/1/1", value: '{"text":"ä€😀"}' },
  { key: "claim/a@1000", value: "[1,2]" },
  ...Array.from({ length: 30 }, (_, n) => ({ key: `spool/a/${String(n)}`, value: "x\ny\0" })),
];

async function written(t: TestContext): Promise<string> {
  const path = join(createTempDir(t), "b");
  const writer = await BackupWriter.begin(path, false);
  for (const entry of ENTRIES) await writer.add(recordText(entry));
  await writer.finish(ORIGIN);
  await writer.discard();
  return path;
}

test("what was written comes back, counted by kind, for this user alone", async (t) => {
  const path = await written(t);
  const head = await readBackupHead(path);
  assert.deepEqual(head.counts, { audit: 1, claim: 1, spool: 30 });
  assert.deepEqual([head.node, head.at, head.records], [ORIGIN.node, ORIGIN.at, 32]);
  const back: Entry[] = [];
  for await (const entry of readBackup(path, head)) back.push(entry);
  assert.deepEqual(back, ENTRIES);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a byte that changed anywhere, or an end that is missing, is found", async (t) => {
  const path = await written(t);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at += 7) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(path, changed);
    await assert.rejects(checkBackup(path), BackupError, `byte ${String(at)}`);
  }
  for (let length = 0; length < whole.length; length += 61) {
    writeFileSync(path, whole.subarray(0, length));
    await assert.rejects(checkBackup(path), BackupError, `${String(length)} bytes`);
  }
  const lines = whole.toString().split("\n");
  writeFileSync(path, [...lines.slice(0, 5), ...lines.slice(6)].join("\n"));
  await assert.rejects(checkBackup(path), /it holds 31 of 32 records/);
});

test("a newer format is refused, and says which edgepoll made it", async (t) => {
  const path = await written(t);
  const text = JSON.stringify({ ...ORIGIN, format: 2, version: "9.1.0" });
  const sum = crc32(text).toString(16).padStart(8, "0");
  writeFileSync(path, `${`edgepoll-backup ${sum} ${text}`.padEnd(1023)}\n`);
  await assert.rejects(checkBackup(path), /has format 2; .*Install edgepoll 9\.1\.0/);
});

test("a backup of a newer state is refused, one of an older state is migrated as it is restored", async (t) => {
  const directory = createTempDir(t);
  const path = join(directory, "b");
  const refused = { topic: "readings/a/d", retain: false, interval: 0, slot: 7, payload: "{}" };
  const make = async (origin: BackupOrigin): Promise<void> => {
    const writer = await BackupWriter.begin(path, true);
    // As version 1 kept what a broker refused: without a reason.
    const entry = { key: keys.quarantine("a", 7, 1), value: encodeSpooled(refused) };
    await writer.add(recordText(entry));
    await writer.finish(origin);
    await writer.discard();
  };
  await make({ ...ORIGIN, stateFormat: FORMAT + 1, version: "9.1.0" });
  await assert.rejects(
    checkBackup(path),
    /What is in .* has format \d+; .*Install edgepoll 9\.1\.0/,
  );
  await make(ORIGIN);
  const stateDir = join(directory, "state");
  await restoreBackup(stateDir, path, await checkBackup(path), "test");
  const store = await openLevelStore(stateDir, { create: false, clock: createClock() });
  t.after(() => store.close());
  const text = await store.get(keys.quarantine("a", 7, 1));
  assert.match(decodeRefused(text ?? "").reason, /did not keep why/);
  assert.equal(await store.get(keys.migrated), `{"from":1,"to":${String(FORMAT)}}`);
});

test("a file is there whole or not at all, and none is replaced unasked", async (t) => {
  const directory = createTempDir(t);
  const path = join(directory, "f");
  const first = await NewFile.begin(path, false);
  await first.write("one");
  assert.ok(!readdirSync(directory).includes("f"));
  writeFileSync(path, "theirs");
  await assert.rejects(first.finish(), FileError);
  await first.discard();
  assert.deepEqual(readdirSync(directory), ["f"]);
  await assert.rejects(NewFile.begin(path, false), /already.*--yes/);
  const second = await NewFile.begin(path, true);
  await second.write("three");
  await second.finish("T");
  await second.discard();
  assert.equal(readFileSync(path, "utf8"), "Three");
  assert.deepEqual(readdirSync(directory), ["f"]);
  await assert.rejects(NewFile.begin(join(directory, "no", "f"), false), FileError);
});

test("what is no file is not replaced, and a link to one stays", async (t) => {
  const directory = createTempDir(t);
  const at = (name: string): string => join(directory, name);
  execFileSync("mkfifo", [at("pipe")]);
  symlinkSync("pipe", at("to-pipe"));
  symlinkSync("nothing", at("to-nothing"));
  mkdirSync(at("folder"));
  for (const name of ["pipe", "to-pipe", "to-nothing", "folder"]) {
    await assert.rejects(
      NewFile.begin(at(name), true),
      /Can't use .*: it is a (device|link|folder)/,
    );
  }
  assert.ok(lstatSync(at("pipe")).isFIFO());
  writeFileSync(at("folder/target"), "old");
  symlinkSync("folder/target", at("link"));
  const file = await NewFile.begin(at("link"), true);
  await file.write("new");
  await file.finish();
  await file.discard();
  assert.ok(lstatSync(at("link")).isSymbolicLink());
  assert.equal(readFileSync(at("folder/target"), "utf8"), "new");
  assert.deepEqual(readdirSync(at("folder")), ["target"]);
});
