import assert from "node:assert/strict";
import test from "node:test";
import { createPlace } from "./program.ts";

test("check --plan shows the cost of a site, and the same data as JSON", async (t) => {
  const { run, config } = await createPlace(t);
  const [text, json, short] = await Promise.all([
    run("check", config, "--plan"),
    run("check", config, "--plan", "--json"),
    run("check", config),
  ]);
  assert.equal(text.code, 0);
  assert.match(text.stdout, /^ {2}hall +100ms +meter +1 +input +0 +300001 +2 +1 +0 +25 +20$/m);
  assert.match(text.stdout, /^ {2}syncs a day: at most 3456000, /m);
  const told: { plan: { requests: unknown[]; endpoints: { load: number }[] } } = JSON.parse(
    json.stdout,
  );
  assert.equal(told.plan.requests.length, 2);
  assert.equal(told.plan.endpoints[0]?.load, 20);
  assert.equal(short.stdout.trimEnd().split("\n").length, 1);
});
