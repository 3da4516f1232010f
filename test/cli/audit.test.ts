/** The command audit: on a node, on a directory, as JSON and in words. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { auditLines } from "../../src/cli/audit-text.ts";
import { plain } from "../../src/cli/paint.ts";
import type { Audit } from "../../src/core/audit.ts";
import { createPlace } from "./program.ts";

const draw = {
  paint: plain,
  caller: "edgepoll",
  sameNode: " --state-dir s",
  sameFile: " --config c",
};

test("findings come with the line to type, removals and what was not seen in words", () => {
  const audit: Audit = {
    findings: [
      { kind: "other-master", where: "a", text: "pid 5\u001b[2J", next: "ps -p 5" },
      { kind: "other-node", where: "b", text: "b", next: "edgepoll config explain mqtt.baseTopic" },
      { kind: "closed-schedule", where: "c", text: "c", next: "edgepoll audit --clean" },
    ],
    more: 2,
    removed: [{ kind: "stale-socket", where: "d", text: "d" }],
    unseen: [{ part: "broker", text: "e" }],
    endpoints: [],
  };
  assert.deepEqual(auditLines(audit, draw), [
    "other master  pid 5\\u001b[2J",
    "  next: ps -p 5",
    "other node  b",
    "  next: edgepoll config explain mqtt.baseTopic --config c",
    "closed schedule  c",
    "  next: edgepoll audit --clean --state-dir s",
    "and 2 findings more",
    "removed  d",
    "not looked at  e",
    "5 findings, 1 leftover removed",
  ]);
  const clean = { ...audit, findings: [], more: 0, removed: [], unseen: [] };
  assert.deepEqual(auditLines(clean, draw), ["nothing found"]);
});

/** What an audit says of this place; others of the machine are none of the test's business. */
function ownOf(stdout: string): Pick<Audit, "findings" | "removed"> {
  const { findings, removed }: Audit = JSON.parse(stdout);
  const isOwn = ({ kind }: { kind: string }) => !/^(enabled|poller)/.test(kind);
  return { findings: findings.filter(isOwn), removed };
}

test("a socket nobody answers at and a schedule that left are found and cleaned, with a node", async (t) => {
  const { run, begin, node, config, directory } = await createPlace(t);
  const state = join(directory, "state");
  const absent = await run("audit", ...node);
  assert.equal(absent.code, 3);
  assert.ok(!existsSync(state));
  const first = begin("start", ...node);
  await first.line(/^watch it:/);
  // What was polled has left a claim, of which the configuration will know nothing.
  const polled = async () =>
    (await run("status", ...node)).stdout.match(/^roof .* [1-9]\d*\/\d+ /m);
  while ((await polled()) === null);
  first.signal("SIGKILL");
  await first.ended;
  const sockets = readdirSync(directory).filter((name) => name.endsWith(".sock"));
  assert.equal(sockets.length, 1, "as a node that was killed leaves it");
  writeFileSync(config, readFileSync(config, "utf8").replace('"roof"', '"cellar"'));
  const offline = await run("audit", ...node, "--json");
  assert.equal(offline.code, 1);
  const kinds = ownOf(offline.stdout).findings.map(({ kind }) => kind);
  assert.ok(kinds.includes("stale-socket"), offline.stdout);
  assert.ok(kinds.includes("orphaned-claim"), offline.stdout);
  const second = begin("start", ...node);
  await second.line(/^watch it:/);
  const live = ownOf((await run("audit", ...node, "--json")).stdout);
  assert.deepEqual(
    live.findings.map(({ where }) => where),
    ["roof@100"],
  );
  const words = await run("audit", ...node);
  assert.match(
    words.stdout,
    /closed schedule {2}roof@100ms has left .*\n {2}next: .* audit --clean --config/,
  );
  const cleaned = ownOf((await run("audit", ...node, "--clean", "--json")).stdout);
  assert.deepEqual([cleaned.findings, cleaned.removed.length], [[], 1]);
  const events = await run("events", ...node);
  assert.match(events.stdout, /audit-cleaned +- +audit by cli .* removed closed schedules: 1\n/);
  assert.equal((await run("validate", ...node)).code, 0);
});

test("on a directory it cleans what a start that was cut off left, and says what it can't know", async (t) => {
  const { run, begin, node, directory } = await createPlace(t);
  const state = join(directory, "state");
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  running.signal("SIGTERM");
  await running.ended;
  writeFileSync(join(state, "edgepoll.json.new"), "");
  mkdirSync(join(state, "db.new"));
  const empty = join(state, "before-restore-20260101T000000");
  mkdirSync(empty);
  writeFileSync(join(empty, "edgepoll.json"), "{}");
  const kept = join(state, "before-restore-20260102T000000");
  mkdirSync(join(kept, "db"), { recursive: true });
  // A socket of another node that lives, in the same folder.
  const other = join(directory, "0123456789abcdef.sock");
  const server = createServer((socket) => socket.destroy()).listen(other);
  t.after(() => server.close());
  await once(server, "listening");
  const cleaned = ownOf((await run("audit", ...node, "--clean", "--json")).stdout);
  assert.deepEqual(cleaned.removed.map(({ where }) => where).sort(), [
    join(state, "db.new"),
    join(state, "edgepoll.json.new"),
  ]);
  assert.deepEqual(cleaned.findings, []);
  // The folder of a restore is not judged while another may still fill it.
  const again = ownOf((await run("audit", ...node, "--clean", "--json")).stdout);
  assert.deepEqual(
    again.removed.map(({ where }) => where),
    [empty],
  );
  assert.ok(existsSync(join(kept, "db")));
  assert.ok(existsSync(other));
  const alone = await run("audit", "--state-dir", state);
  assert.match(
    alone.stdout,
    /^not looked at {2}endpoints, the broker, and what has left the configuration: /m,
  );
  const events = await run("events", ...node);
  assert.match(events.stdout, /audit-cleaned .* removed leftover files: 2\n/);
});
