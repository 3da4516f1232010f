/** Profiles as the program uses them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { createPlace } from "./program.ts";

/** What the values of the simulated meter may be (src/simulator/energy-meter.ts). */
const PLAUSIBLE: Readonly<Record<string, (value: unknown) => boolean>> = {
  voltage: between(225, 235),
  current: between(2, 12),
  power: between(0.5, 2.5),
  frequency: between(49.9, 50.1),
  energy: between(1000, 1e6),
  status: (value) => value === 1,
  "demand-period": (value) => value === 60,
  alarm: (value) => typeof value === "boolean",
  relay: (value) => value === true,
};

function between(least: number, most: number) {
  return (value: unknown) => typeof value === "number" && value > least && value < most;
}

function siteOf(connection: string, profile: string): string {
  const devices = [{ id: "meter", unitId: 1, profile }];
  return JSON.stringify({ gateways: [{ id: "hall", connection, interval: "1s", devices }] });
}

test("the profile of the simulated energy meter reads every value of it", async (t) => {
  const { run, begin, node, config } = await createPlace(t);
  const simulator = begin("simulate", "--port", "0", "--json");
  const told: { url: string; registers: string[] } = JSON.parse(await simulator.line(/^\{/));
  writeFileSync(config, siteOf(told.url, "edgepoll/energy-meter"));
  const { stdout } = await run("read", "hall/meter", "--json", ...node);
  const { points }: { points: { point: string; value?: unknown }[] } = JSON.parse(stdout);
  assert.deepEqual(
    points.map(({ point }) => point),
    Object.keys(PLAUSIBLE),
  );
  assert.equal(told.registers.length, points.length, "the meter has more than its profile");
  for (const { point, value } of points) {
    assert.ok(PLAUSIBLE[point]?.(value), `${point}: ${String(value)}`);
  }
});

test("a mistake in a profile ends check and start with 78, and its place in the profile", async (t) => {
  const { run, node, config, directory } = await createPlace(t);
  const points = "points:\n  - { id: a, table: coil, address: 0, type: bool, unti: V }\n";
  writeFileSync(join(directory, "meter.yaml"), points);
  writeFileSync(config, siteOf("simulator://energy-meter", "./meter.yaml"));
  const all = await Promise.all([run("check", config), run("start", ...node)]);
  for (const { code, stderr } of all) {
    assert.equal(code, 78, stderr);
    assert.match(
      stderr,
      /meter\.yaml:2:51 {2}points\[a\]\.unti is an unknown key; did you mean unit\?/,
    );
    assert.match(stderr, / {50}\| {49}\^{4}\n|\n {4}\| {51}\^{4}\n/);
  }
});
