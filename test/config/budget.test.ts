import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { createTempDir } from "../support/temp-dir.ts";

const host = { hostName: "box", defaultStateDir: () => "/state" };

/** The warnings about a gateway with one request every 50 ms. */
function warningsOf(t: TestContext, connection: string, budget: string): readonly string[] {
  const path = join(createTempDir(t), "plant.yaml");
  const points = "[{ id: power, table: holding, address: 0, type: float32, interval: 20ms }]";
  const devices = `devices: [{ id: plc, unitId: 1, points: ${points} }]`;
  const gateway = `{ id: hall, connection: "${connection}", ${devices} }`;
  writeFileSync(path, `budget: ${budget}\ngateways:\n  - ${gateway}\n`);
  const { warnings } = loadConfig(path, () => undefined, host);
  return warnings.filter((warning) => warning.includes(" asks for "));
}

test("above the budget a network is warned of, with what was assumed", (t) => {
  const [warning] = warningsOf(t, "tcp://box", "{ warn: 90, refuse: 95 }");
  const text =
    /:3:\d+ {2}gateways\[hall\]\.connection asks for 100\.0 % of the time of tcp:\/\/box:502 with 20 ms assumed/;
  assert.match(warning ?? "", text);
  assert.deepEqual(warningsOf(t, "tcp://box", "{ warn: 100, refuse: never }"), []);
});

test("a serial line above the budget is only warned of when nothing is to be refused", (t) => {
  const line = "serial:///dev/ttyUSB0?baud=9600";
  assert.match(warningsOf(t, line, "{ refuse: never }")[0] ?? "", /budget\.warn is 80 %/);
  assert.throws(() => warningsOf(t, line, "{}"), /budget\.refuse is 100 %/);
});
