import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { leaveMark, takeMark } from "../../src/system/silence-mark.ts";
import { createTempDir } from "../support/temp-dir.ts";

test("a line is known to be silent once, by those who left it so, and as long as nobody else wrote to it", async (t) => {
  const directory = createTempDir(t);
  const device = join(directory, "ttyLINE");
  writeFileSync(device, "");
  const old = new Date(Date.now() - 60_000);
  utimesSync(device, old, old);
  const take = () => takeMark(device, device);
  assert.equal(await take(), false, "nobody was there before");
  await leaveMark(device);
  assert.equal(await take(), true);
  assert.equal(await take(), false, "whoever took it may have been killed");
  await leaveMark(device);
  const later = new Date(Date.now() + 60_000);
  utimesSync(device, later, later);
  assert.equal(await take(), false, "another program has written to it");
  await leaveMark(device);
  assert.equal(await takeMark(device, join(directory, "gone")), false, "it is not there");
  await leaveMark(device);
  assert.equal(await takeMark(device, undefined), true, "a converter has no device here");
});
