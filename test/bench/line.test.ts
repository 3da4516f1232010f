import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bestOf, figuresOf, type SeenRequest } from "../../bench/line-figures.ts";
import { createTempDir } from "../support/temp-dir.ts";

const BENCH = fileURLToPath(new URL("../../bench/line.ts", import.meta.url));
const run = promisify(execFile);

test("a poll at best is request, answer and two silences, by the numbers of Modbus over Serial Line", () => {
  // 33 characters of 10 bits, and twice 3.5 of them.
  assert.deepEqual(bestOf(10_000, 10), { ideal: 40, due: 3.5 });
  assert.equal(bestOf(100_000, 10).due, 1.75);
});

test("the figures are those of the requests that came in the time that is measured", () => {
  const requests: SeenRequest[] = [
    [0, 1, 0],
    [100, 3.5, 1],
    [140, 3.4, 1],
    [182, 5.5, 1],
    [224, 3.5, 1],
    [900, 99, 1],
  ];
  const best = bestOf(10_000, 10);
  const figures = figuresOf({ requests, junk: 0, early: 0 }, best, [100, 900]);
  const { polls, share, ownShare, medianShare, shortest, violations } = figures;
  assert.deepEqual([polls, shortest, violations], [3, 3.4, 1]);
  assert.equal(share.toFixed(2), "96.77");
  assert.equal(ownShare.toFixed(2), "99.17");
  assert.equal(medianShare.toFixed(2), "95.24");
  assert.throws(() => figuresOf({ requests, junk: 0, early: 0 }, best, [100, 140]), /no poll/);
});

test("the bench of a line polls units back to back and finds no silence too short", async (t) => {
  const asked = ["--seconds", "3", "--warmup", "0.5", "--baud", "38400", "--dir", createTempDir(t)];
  const register = import.meta.resolve("ts-blank-space/register");
  const { stdout } = await run(process.execPath, ["--import", register, BENCH, ...asked]);
  assert.match(stdout, /^8 units at 38400 baud 8N1, 10 registers each$/m);
  assert.match(stdout, /^polls\/s +\d+\.\d, of [1-9]\d* polls$/m);
  assert.match(stdout, /^shorter than t3\.5 \(1\.75 ms\) +0$/m, stdout);
  assert.match(stdout, /^CPU of the node +[1-9]/m);
});
