import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
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
  assert.match(text.stdout, / 101 polls, 10s {2}every 30s\.\.5m$/m);
  assert.match(text.stdout, /^ {2}syncs a day: at most 3456000, /m);
  const told: { plan: { requests: unknown[]; endpoints: { load: number }[] } } = JSON.parse(
    json.stdout,
  );
  assert.equal(told.plan.requests.length, 2);
  assert.equal(told.plan.endpoints[0]?.load, 20);
  assert.equal(short.stdout.trimEnd().split("\n").length, 1);
});

test("a serial line is planned as it is polled", async (t) => {
  const { run, config } = await createPlace(t);
  const points = [{ id: "power", table: "holding", address: 0, type: "float32" }];
  const line = {
    ...{ id: "line", connection: "serial:///dev/ttyUSB0?baud=9600", interval: "10s" },
    devices: [{ id: "meter", unitId: 1, points }],
  };
  writeFileSync(config, JSON.stringify({ node: "test", gateways: [line] }));
  const check = await run("check", config, "--plan");
  assert.equal(check.code, 0, check.stderr);
  assert.match(check.stdout, /^[^\n]+: ok {2}1 gateway/);
  assert.match(check.stdout, /^ {2}\/dev\/ttyUSB0 9600 8E1$/m);
});
