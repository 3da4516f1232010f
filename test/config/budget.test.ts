import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadConfig, OverBudgetError } from "../../src/config/load.ts";
import { createTempDir } from "../support/temp-dir.ts";

const host = { hostName: "box", defaultStateDir: () => "/state" };

/** The warnings about a gateway with one request of two registers at an interval. */
function warningsOf(
  t: TestContext,
  connection: string,
  budget: string,
  interval = "20ms",
): readonly string[] {
  const path = join(createTempDir(t), "plant.yaml");
  const points = `[{ id: power, table: holding, address: 0, type: float32, interval: ${interval} }]`;
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
  assert.throws(
    () => warningsOf(t, line, "{}"),
    (error: unknown) => {
      assert.ok(error instanceof OverBudgetError);
      assert.match(error.message, /budget\.refuse is 100 %/);
      // What the plan is drawn from, which says by what it is too much.
      assert.deepEqual(
        error.site.gateways.map(({ id }) => id),
        ["hall"],
      );
      return true;
    },
  );
});

test("a limit holds to the percent: what reaches it is within it", (t) => {
  // 17 characters of 11 bits and 7 of silence at 9600 baud, and 20 ms for the device: 47.5 ms of 50.
  const line = (budget: string) =>
    warningsOf(t, "serial:///dev/ttyUSB0?baud=9600", budget, "50ms").map((warning) =>
      warning.replace(/^.* (asks for 95\.0 %).* (budget\.\w+ is \d+ %).*$/, "$1, $2"),
    );
  assert.throws(
    () => line("{ warn: 80, refuse: 94 }"),
    /asks for 95\.0 % .*budget\.refuse is 94 %/,
  );
  assert.deepEqual(line("{ warn: 80, refuse: 95 }"), ["asks for 95.0 %, budget.warn is 80 %"]);
  assert.deepEqual(line("{ warn: 94, refuse: 95 }"), ["asks for 95.0 %, budget.warn is 94 %"]);
  assert.deepEqual(line("{ warn: 95, refuse: 95 }"), []);
});
