/** `check` names the accounts that a start would close and open. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { accountLines } from "../../src/cli/account-lines.ts";
import { createPlace } from "./program.ts";

interface Written {
  gateways: { id: string; interval: string; enabled?: boolean }[];
}

test("check names what a start would close and open: of the node that runs, and of the directory without one", async (t) => {
  const { run, begin, node, config, directory } = await createPlace(t);
  const state = ["--state-dir", join(directory, "state")];
  const none = await run("check", ...node);
  assert.doesNotMatch(none.stdout, /closes|opens|accounts/, "nothing was ever recorded");
  const running = begin("start", ...node);
  await running.line(/^watch it/);
  assert.doesNotMatch((await run("check", ...node)).stdout, /closes|opens|accounts/);

  const other = join(directory, "other.yaml");
  // As createPlace writes it.
  const site = JSON.parse(readFileSync(config, "utf8")) as Written;
  for (const gateway of site.gateways) {
    if (gateway.id === "hall") gateway.interval = "200ms";
    else gateway.enabled = false;
  }
  writeFileSync(other, JSON.stringify(site));
  const live = await run("check", other, ...state);
  assert.equal(live.code, 0);
  assert.match(live.stdout, /^closes {5}2 accounts at the next start.*: hall@100ms, roof@100ms$/m);
  assert.match(live.stdout, /^opens {6}1 account at the next start.*: hall@200ms$/m);

  running.signal("SIGTERM");
  assert.equal((await running.ended).code, 0);
  const offline = await run("check", other, ...state);
  assert.deepEqual([offline.code, offline.stdout], [0, live.stdout]);
  const json = await run("check", other, ...state, "--json");
  const { accounts }: { accounts: object } = JSON.parse(json.stdout);
  assert.deepEqual(accounts, { closes: ["hall@100", "roof@100"], opens: ["hall@200"] });

  // A ledger that can't be read keeps no configuration from being checked.
  const marker = join(directory, "state/edgepoll.json");
  writeFileSync(marker, "{}");
  const damaged = await run("check", other, ...state);
  assert.equal(damaged.code, 0);
  assert.match(damaged.stdout, /^accounts {3}not compared: .*edgepoll\.json can't be understood/m);
  if (process.getuid?.() === 0) {
    chmodSync(directory, 0o755);
    chownSync(join(directory, "state"), 65_534, 65_534);
    const others = await run("check", other, ...state);
    assert.match(others.stdout, /^accounts {3}not compared: .*belongs to another user/m);
  }
});

test("many accounts are counted beyond the first", () => {
  const closes = Array.from({ length: 25 }, (_, n) => `g${String(n)}@60000`);
  const [line, ...others] = accountLines({ closes, opens: [] });
  assert.deepEqual(others, []);
  assert.match(line ?? "", /^closes {5}25 accounts at .*: g0@1m, g1@1m, .*, g19@1m and 5 more$/);
});
