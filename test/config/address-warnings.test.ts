import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** What is said of a device with points at these places. */
function warningsOf(t: TestContext, ...places: readonly string[]): readonly string[] {
  const path = join(createTempDir(t), "plant.yaml");
  const points = places.map((place, index) => `{ id: p${String(index)}, ${place} }`).join(", ");
  const gateway = "id: hall, connection: tcp://box, interval: 10s";
  const device = `&a { id: plc, unitId: 1, points: &all [${points}] }`;
  const other = "{ id: plc2, unitId: 2, points: *all }";
  writeFileSync(path, `gateways:\n  - { ${gateway}, devices: [${device}, ${other}] }\n`);
  return loadConfig(path, () => undefined, { hostName: "box", defaultStateDir: () => "/state" })
    .warnings;
}

const at = (table: string, address: number) =>
  `table: ${table}, address: ${String(address)}, type: ${table === "discrete" ? "bool" : "uint16"}`;

test("an address that looks like a reference is warned of once, and what to write is named", (t) => {
  const warnings = warningsOf(t, at("holding", 40_012), at("input", 30_001));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? "",
    /plant\.yaml:2:\d+ {2}gateways\[hall\]\.devices\[plc\]\.points\[p0\]\.address may be a reference \(and those of 1 more of its points\): .* 40012 is address 11: write reference: 40012 in place/,
  );
});

test("only addresses within the references of their own table are warned of", (t) => {
  const odd = [
    at("holding", 40_001),
    at("holding", 49_999),
    at("input", 39_999),
    at("discrete", 10_001),
  ];
  for (const place of odd) assert.equal(warningsOf(t, place).length, 1, place);
  const even = [
    ...[at("holding", 40_000), at("holding", 50_000), at("holding", 30_001)],
    ...[at("input", 40_001), at("discrete", 20_000)],
    "reference: 40001, type: uint16",
  ];
  assert.deepEqual(warningsOf(t, ...even), []);
});

test("addresses in a profile are warned of once, where it is named; those of SunSpec are not", (t) => {
  const folder = createTempDir(t);
  const odd = ["odd", at("holding", 40_012), at("holding", 40_013)];
  const scaled = ["sunspec", `${at("holding", 40_084)}, scaleRegister: 40085`];
  for (const [name = "", ...places] of [odd, scaled]) {
    const points = places.map((place, index) => `  - { id: p${String(index)}, ${place} }\n`);
    writeFileSync(join(folder, `${name}.yaml`), `points:\n${points.join("")}`);
  }
  const path = join(folder, "plant.yaml");
  const devices = ["odd", "odd", "sunspec"].map((name, index) => {
    return `{ id: d${String(index)}, unitId: ${String(index)}, profile: ${name}.yaml }`;
  });
  const gateway = "id: hall, connection: tcp://box, interval: 10s";
  writeFileSync(path, `gateways:\n  - { ${gateway}, devices: [${devices.join(", ")}] }\n`);
  const host = { hostName: "box", defaultStateDir: () => "/state" };
  const { warnings } = loadConfig(path, () => undefined, host);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(
    warnings[0] ?? "",
    /\[d0\]\.profile has p0 at 40012, which may be a reference \(and those of 1 more of its points\): .* 40012 is address 11: write reference: 40012/,
  );
});
