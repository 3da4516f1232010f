import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readResults, reportOf } from "../../bench/report.ts";
import type { Results } from "../../bench/results.ts";
import { createTempDir } from "../support/temp-dir.ts";

const DOCS = fileURLToPath(new URL("../../docs", import.meta.url));
const BENCH = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));
const run = promisify(execFile);

test("the bench measures all pollers with a small workload", async (t) => {
  const directory = createTempDir(t);
  const asked = ["--only", "smoke", "--seconds", "2", "--warmup", "0.5", "--dir", directory];
  const register = import.meta.resolve("ts-blank-space/register");
  const { stdout } = await run(process.execPath, ["--import", register, BENCH, ...asked]);
  const [file = ""] = readdirSync(directory);
  // Written by the bench just now.
  const { rows } = JSON.parse(readFileSync(join(directory, file), "utf8")) as Results;
  assert.deepEqual(
    rows.map(({ poller }) => poller),
    ["edgepoll", "least", "spread", "plain"],
  );
  for (const row of rows) {
    assert.ok(row.polls > 0 && row.messagesPerSecond > 0 && row.cpuPerPoll > 0, stdout);
    assert.ok(row.rss > 10 && row.ready > 0, stdout);
    assert.equal(row.requestsPerPoll, 1);
    assert.equal(row.gridError.length, row.endToEnd.length);
    assert.deepEqual([row.lost, row.twice], [0, 0]);
  }
  const [edgepoll] = rows;
  assert.ok((edgepoll?.late?.seen.length ?? 0) > 0 && (edgepoll?.late?.told.length ?? 0) > 0);
  assert.equal(edgepoll?.account?.unaccounted, 0);
  assert.match(stdout, /^\| smoke \| edgepoll \|/m);
});

test("docs/performance.* are what docs/performance.json gives", () => {
  for (const [name, text] of reportOf(readResults(DOCS))) {
    assert.equal(readFileSync(join(DOCS, name), "utf8"), text, `${name}: npm run bench -- --draw`);
  }
});
