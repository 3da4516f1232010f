import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { explain } from "../../src/config/explain.ts";
import { loadEffective } from "../../src/config/load.ts";

const folder = mkdtempSync(join(tmpdir(), "edgepoll-effective-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const host = { hostName: "Box.local", defaultStateDir: () => "/state" };
const SECRET = "planted-7411";
const variables = { SECRET, CREDENTIALS_DIRECTORY: folder, PORT: "1999" };
const env = (name: string) => Object.entries(variables).find(([key]) => key === name)?.[1];

function effective(text: string) {
  const path = join(folder, "edgepoll.yaml");
  writeFileSync(path, text);
  const values = loadEffective(path, env, host);
  return { values, of: (key: string) => values.find((value) => value.key === key) };
}

const POINT = "{ id: power, table: holding, address: 0, type: uint16 }";
const GATEWAY = `gateways:
  - id: hall
    connection: tcp://10.0.0.5
    interval: 2s
    merge: { maxGap: 3 }
    devices:
      - { id: plc, unitId: 1, merge: { maxBits: 7 }, points: [${POINT}] }
`;

test("every value says whether it was written, inherited or a default", () => {
  const { of } = effective(`defaults: { timeout: 700ms }\n${GATEWAY}`);
  const hall = "gateways[hall]";
  const plc = `${hall}.devices[plc]`;
  assert.deepEqual(of("node"), { key: "node", value: "box-local", origin: { kind: "default" } });
  assert.deepEqual(of("log.level")?.origin, { kind: "default" });
  assert.deepEqual(of(`${hall}.interval`)?.origin, { kind: "file", line: 5, column: 15 });
  const inherited = (key: string) => {
    const found = of(key);
    return found?.origin.kind === "inherited" ? [found.value, found.origin.from] : found;
  };
  assert.deepEqual(inherited(`${hall}.timeout`), ["700ms", "defaults.timeout"]);
  assert.deepEqual(inherited(`${hall}.retries`), ["1", "defaults.retries"]);
  assert.deepEqual(inherited(`${plc}.points[power].interval`), ["2s", `${hall}.interval`]);
  assert.deepEqual(inherited(`${plc}.merge.maxGap`), ["3", `${hall}.merge.maxGap`]);
  assert.equal(of(`${plc}.merge.maxBits`)?.value, "7");
  assert.equal(of(`${hall}.merge.maxBits`)?.value, "2000");
});

test("distances of probes come from the gateway, the defaults and the program, each for itself", () => {
  const shown = (text: string) =>
    effective(text).values.flatMap(({ key, value, origin }) =>
      key.includes("probe") ? [`${key} ${value} ${origin.kind}`] : [],
    );
  assert.deepEqual(shown(GATEWAY), [
    "defaults.probe.first 30s default",
    "defaults.probe.max 5m default",
    "gateways[hall].probe.first 30s inherited",
    "gateways[hall].probe.max 5m inherited",
  ]);
  const own = GATEWAY.replace("    interval", "    probe: { first: 1s }\n    interval");
  assert.deepEqual(shown(`defaults: { probe: { max: 1m } }\n${own}`).slice(2), [
    "gateways[hall].probe.first 1s file",
    "gateways[hall].probe.max 1m inherited",
  ]);
  assert.deepEqual(shown(`defaults: { probe: never }\n${GATEWAY}`), [
    "defaults.probe never file",
    "gateways[hall].probe never inherited",
  ]);
});

test("a time-out is shown for each schedule as it is in force there", () => {
  const fast = "{ id: fast, table: coil, address: 0, type: bool, interval: 500ms }";
  const text = GATEWAY.replace(POINT, `${POINT}, ${fast}`);
  const timeouts = (site: string) =>
    effective(site)
      .values.filter(({ key }) => key === "gateways[hall].timeout")
      .map(({ value, schedule, origin }) => [value, schedule, origin]);
  const inherited = { kind: "inherited", from: "defaults.timeout" };
  assert.deepEqual(timeouts(text), [
    ["250ms", "hall@500ms", { kind: "half-interval" }],
    ["1s", "hall@2s", inherited],
  ]);
  assert.deepEqual(timeouts(`defaults: { timeout: 250ms }\n${text}`), [
    ["250ms", undefined, inherited],
  ]);
  const [given] = timeouts(text.replace("interval: 2s", "interval: 2s\n    timeout: 3s"));
  assert.deepEqual(given, ["3s", undefined, { kind: "file", line: 5, column: 14 }]);
});

test("what comes from outside is named and never shown, a password not even as it stands", () => {
  for (const reference of ["${ENV:SECRET}", "${FILE:secret}", "${CRED:secret}", SECRET]) {
    writeFileSync(join(folder, "secret"), SECRET);
    const broker = `{ broker: "mqtt://box:\${ENV:PORT}", password: "${reference}" }`;
    const { values, of } = effective(`mqtt: ${broker}\n${GATEWAY}`);
    assert.ok(!JSON.stringify(values).includes(SECRET), reference);
    assert.ok(!JSON.stringify(values).includes("1999"));
    assert.equal(of("mqtt.password")?.value, "********");
    assert.equal(of("mqtt.broker")?.value, "mqtt://box:${ENV:PORT}");
  }
  const { of } = effective(`mqtt: { username: "\${ENV:USER_:-edge}" }\n${GATEWAY}`);
  const origin = of("mqtt.username")?.origin;
  assert.deepEqual(origin?.kind === "outside" ? origin.from : origin, [
    "the default written here: USER_ is not set",
  ]);
});

test("the demo comes to the same values as its parts", () => {
  const demo = readFileSync(new URL("../../config/edgepoll.yaml", import.meta.url), "utf8");
  const { values } = effective(demo);
  const keys = values.map(({ key, schedule = "" }) => `${key} ${schedule}`);
  assert.equal(new Set(keys).size, values.length, "each key once for each schedule it differs in");
  const ids = values.filter(({ key }) => /points\[[a-z-]+\]\.id$/.test(key));
  assert.equal(ids.length, 18, "points of a profile count for both gateways");
});

test("a key is explained from the schema, one that is not there by its neighbours", () => {
  const scale = explain("gateways.devices.points.scale");
  assert.ok("found" in scale);
  assert.deepEqual([scale.found.default, scale.found.allowed], ["1", "a number"]);
  const interval = explain("gateways[hall].interval");
  assert.ok("found" in interval && interval.found.unit !== undefined);
  assert.equal(interval.found.default, "defaults.interval");
  const id = explain("gateways.id");
  assert.ok("found" in id && id.found.required);
  assert.deepEqual(explain("mqtt.brokr"), { unknown: "mqtt.brokr", meant: ["mqtt.broker"] });
  const bare = explain("scale");
  assert.deepEqual("meant" in bare && bare.meant, ["gateways.devices.points.scale"]);
  for (const odd of ["", ".", "constructor", "gateways.__proto__", "0"]) {
    assert.ok("unknown" in explain(odd), odd);
  }
});
