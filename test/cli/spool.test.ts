/** What waits and what was refused, and the consent to what destroys. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { Given } from "../../src/cli/command.ts";
import { confirm } from "../../src/cli/confirm.ts";
import { linesOf } from "../../src/cli/spool.ts";
import { UsageError } from "../../src/core/errors.ts";
import { encodeRefused } from "../../src/core/refused.ts";
import { keys } from "../../src/core/records.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { NOON } from "./fixtures.ts";
import { createPlace } from "./program.ts";

interface Waiting {
  readonly messages: number;
  readonly streams: readonly { readonly gateway: string | null }[];
}

test("spool and events tell of a node that runs and of its directory alike; a gateway that is not there is 65", async (t) => {
  const { run, begin, node, directory } = await createPlace(t);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const live = await run("spool", ...node, "--json");
  assert.equal(live.code, 0, live.stderr);
  assert.ok((JSON.parse(live.stdout) as Waiting).messages >= 0);
  const unknown = await run("events", ...node, "--gateway", "hal");
  assert.equal(unknown.code, 65);
  assert.match(unknown.stderr, /there is no gateway hal; did you mean hall\?/);
  const early = await run("reset", ...node, "--all", "--yes");
  assert.equal(early.code, 75);
  assert.match(early.stderr, /stop --node .*ends it/);
  running.signal("SIGTERM");
  await running.ended;

  const store = await openLevelStore(join(directory, "state"), {
    create: false,
    clock: createClock(),
  });
  const payload = '{"node":"test","kind":"x","text":"ä"}';
  const spooled = {
    topic: "readings/hall/meter",
    retain: false,
    interval: 100,
    slot: NOON,
    payload,
  };
  const refused = encodeRefused({ at: NOON, reason: "Not authorized", spooled });
  await store.write([{ key: keys.quarantine("hall", NOON, 7), value: refused }], true);
  await store.close();
  const list = await run("spool", ...node, "--quarantine");
  assert.match(list.stdout, /readings\/hall\/meter {2}Not authorized\n1 message in quarantine\n$/);
  const file = join(directory, "refused.ndjson");
  const exported = await run("spool", ...node, "--quarantine", "--export", file);
  assert.equal(exported.code, 0, exported.stderr);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const text = readFileSync(file, "utf8");
  assert.ok(text.endsWith(`,"payload":${payload}}\n`), "the payload byte for byte");
  const again = await run("spool", ...node, "--export", file);
  assert.deepEqual([again.code, readFileSync(file, "utf8")], [64, text]);
  assert.match(again.stderr, /Nothing was done. .* spool --export .* --yes/);
  const offline = await run("events", ...node, "--gateway", "nope");
  assert.equal(offline.code, 65);
  const [vague, unsure] = [
    await run("reset", ...node, "--yes"),
    await run("reset", ...node, "--all"),
  ];
  assert.deepEqual([vague.code, unsure.code], [64, 64]);
  const reset = await run("reset", ...node, "--gateway", "hall", "--yes", "--json");
  const { gateways, claims, quarantined } = JSON.parse(reset.stdout) as Record<string, unknown>;
  assert.deepEqual([gateways, claims, quarantined], [["hall"], 1, 1]);
  assert.equal((await run("validate", ...node)).code, 0);
  assert.match((await run("events", ...node)).stdout, /gateway-reset +hall .*hall reset by cli/);
});

test("a spool is told with what was dropped of each stream", () => {
  const rows = [
    { gateway: null, messages: 1, bytes: 10, oldest: NOON, dropped: {}, lastDrop: null },
    { gateway: "a", messages: 0, bytes: 0, oldest: null, dropped: { too_old: 3 }, lastDrop: NOON },
  ];
  const report = { messages: 1, bytes: 10, quarantined: 2, streams: rows };
  const text = linesOf(report, 5.5).join("\n");
  assert.match(text, /^\(events\) +1 +10 +2026-01-31 12:00:00 +-$/m);
  assert.match(text, /^a +0 +0 +- +too_old 3; last 2026-01-31 12:00:00$/m);
  assert.match(text, /^1 message waits, 10 bytes; full in 5\.5 h at this rate; 2 in quarantine$/m);
  for (const hours of [0, 0.9])
    assert.match(linesOf(report, hours).join("\n"), /10 bytes; full in under an hour; 2 in/);
  const empty = { messages: 0, bytes: 0, quarantined: 0, streams: [] };
  assert.deepEqual(linesOf(empty, 0), ["0 messages wait, 0 bytes"]);
});

test("consent is --yes or an answer at a terminal; without one nothing is assumed", async () => {
  const given = (...flags: string[]): Given => {
    return { argument: undefined, more: [], flags: new Set(flags), values: new Map() };
  };
  const asked = async (answer: string, flags: string[] = []) => {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    const output = Object.assign(new PassThrough(), { isTTY: true });
    input.write(answer);
    return confirm(given(...flags), "drop it all", "again --yes", undefined, { input, output });
  };
  assert.equal(await asked("y\n"), true);
  assert.equal(await asked("Yes\n"), true);
  for (const answer of ["\n", "n\n", "yess\n", "\x03", "y\x03", "\x04"]) {
    assert.equal(await asked(answer), false, JSON.stringify(answer));
  }
  assert.equal(await asked("n\n", ["yes"]), true);
  await assert.rejects(asked("y\n", ["json"]), UsageError);
  const pipe = { input: new PassThrough(), output: new PassThrough() };
  await assert.rejects(confirm(given(), "drop it all", "again --yes", undefined, pipe), {
    message: "Nothing was done. To drop it all: again --yes",
  });
});
