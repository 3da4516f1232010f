/** What profiles come to: points that are shared, added to and replaced, and their limits. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadEffective } from "../../src/config/load.ts";
import { fileOf, folder, host, load, none, POWER, refusal } from "./plant.ts";

/** A profile beside the configurations, as a device names it. */
function profile(text: string | Uint8Array): string {
  return `./${basename(fileOf(text))}`;
}

/** A site of one gateway with such devices. */
function site(devices: readonly string[], gateway = ""): string {
  const list = devices.map((device, index) => {
    return `      - { id: d${String(index)}, unitId: ${String(index + 1)}, ${device} }\n`;
  });
  return `gateways:\n  - id: hall\n    connection: tcp://10.0.0.5\n${gateway}    devices:\n${list.join("")}`;
}

function devicesOf(text: string) {
  return load(text).site.gateways[0]?.devices ?? [];
}

const METER = `points:
  - { id: voltage, table: input, address: 0, type: float32, interval: 1s }
  - ${POWER}
`;

test("a device has the points of its profile, its own beside them, and its own of the same id in their place", () => {
  const name = profile(METER);
  const own =
    "points: [{ id: power, table: input, address: 12, type: int16 }, { id: flow, reference: 40009, type: int16 }]";
  const [plain, changed] = devicesOf(
    site([`profile: ${name}`, `profile: ${name}, interval: 5s, ${own}`]),
  );
  const order = "ABCD";
  const voltage = { id: "voltage", table: "input", address: 0, type: "float32", order };
  const power = { id: "power", table: "holding", address: 0, type: "float32", order };
  assert.deepEqual(plain?.points, [
    { ...voltage, interval: 1000 },
    { ...power, interval: 10_000 },
  ]);
  assert.deepEqual(changed?.points, [
    { ...voltage, interval: 1000 },
    { id: "power", table: "input", address: 12, type: "int16", order, interval: 5000 },
    { id: "flow", table: "holding", address: 8, type: "int16", order, interval: 5000 },
  ]);
});

test("a limit is the device's, else the profile's, else the gateway's, else that of Modbus", () => {
  const name = profile(`merge: { maxGap: 2, maxRegisters: 20 }\n${METER}`);
  const gateway = "    merge: { maxGap: 3, maxRegisters: 30, maxBits: 300 }\n";
  const limits = (text: string) => devicesOf(text)[0]?.merge;
  assert.deepEqual(limits(site([`profile: ${name}, merge: { maxGap: 1 }`], gateway)), {
    ...{ maxGap: 1, maxRegisters: 20, maxBits: 300 },
  });
  assert.deepEqual(limits(site([`profile: ${name}`])), {
    ...{ maxGap: 2, maxRegisters: 20, maxBits: 2000 },
  });
});

test("a point of the profile must fit into a request of the device, unless it is replaced", () => {
  const wide = profile("points: [{ id: power, table: input, address: 0, type: float64 }]\n");
  const narrow = `profile: ${wide}, merge: { maxRegisters: 2 }`;
  const error = refusal(() => load(site([narrow])));
  assert.match(
    error.message,
    /devices\[d0\]\.profile has the point power, which takes 4 registers/,
  );
  assert.equal(devicesOf(site([`${narrow}, points: [${POWER}]`]))[0]?.points.length, 1);
});

test("a profile is read once however many devices use it, by whatever path", () => {
  const absolute = join(folder, "once.yaml");
  writeFileSync(absolute, "points: [{ id: a, table: coil, address: 0, typ: bool }]\n");
  const paths = ["./once.yaml", "once.yaml", absolute, "../" + basename(folder) + "/once.yaml"];
  const error = refusal(() => load(site(paths.map((path) => `profile: ${path}`))));
  assert.equal(error.message.match(/once\.yaml:1:/g)?.length, 2, error.message);
  assert.match(error.message, /\n2 mistakes$/);
});

test("the hash of the configuration changes with a profile, and only with one that is used", () => {
  const name = profile(METER);
  const path = join(folder, name);
  const other = profile(METER);
  const text = site([`profile: ${name}`]);
  const before = load(text).site.hash;
  writeFileSync(join(folder, other), `${METER}# changed\n`);
  assert.equal(load(text).site.hash, before);
  writeFileSync(path, `${METER}# changed\n`);
  assert.notEqual(load(text).site.hash, before);
});

test("a profile that is no file, too large or not text is refused where it is named", () => {
  execFileSync("mkfifo", [join(folder, "pipe-profile.yaml")]);
  const cases: [name: string, text: RegExp][] = [
    ["pipe-profile.yaml", /:5:39 {2}\S+profile names a file that is not a regular file/],
    ["/dev/zero.yaml", /profile names a file that does not exist\n/],
    ["/dev/zero", /profile names a file that is not a regular file\n/],
    [profile("#".repeat(2 ** 20 + 1)), /profile names a file that is larger than 1024 KiB/],
    [profile(new Uint8Array([0x61, 0xff])), /profile names a file that is not UTF-8 text/],
  ];
  for (const [name, text] of cases) {
    const error = refusal(() => load(site([`profile: ${name}`])));
    assert.equal(error.code, "CONFIG_INVALID");
    assert.match(error.message, text);
  }
});

test("a path from outside is followed, and never shown", () => {
  const name = profile("points: 5\n");
  const error = refusal(() => load(site(['profile: "${ENV:METER}"']), { METER: name }));
  assert.match(error.message, /^\$\{ENV:METER\}:1:9 {2}points must be a list/);
  assert.ok(!error.message.includes(name.slice(2)));
});

test("keys without effect in a profile are named with their profile", () => {
  const name = profile(METER.replace("float32 }", "float32, deadband: 1 }"));
  const { withoutEffect } = load(site([`profile: ${name}`, `profile: ${name}`])).site;
  assert.deepEqual(withoutEffect, [`points[power].deadband in ${name}`]);
});

test("a time-out longer than the interval of a profile's point is a warning", () => {
  const name = profile(METER);
  const warnings = (timeout: string) =>
    load(site([`profile: ${name}`], `    timeout: ${timeout}\n`)).warnings;
  assert.match(warnings("2s").join(), /hall\]\.timeout is longer than the shortest interval/);
  assert.deepEqual(warnings("1s"), []);
});

test("more points than a node takes are refused, though each profile is small", () => {
  const points = Array.from({ length: 2500 }, (_, index) => {
    return `  - { id: p${String(index)}, table: coil, address: ${String(index)}, type: bool }\n`;
  });
  const name = profile(`points:\n${points.join("")}`);
  const devices = Array.from({ length: 201 }, () => `profile: ${name}`);
  const error = refusal(() => load(site(devices)));
  assert.match(error.message, /:1:1 {2}gateways have 502500 points together; .* at most 500000/);
});

test("config show has the points and limits of a profile, each with its line there", () => {
  const name = profile(`merge: { maxGap: 2 }\n${METER}`);
  const own = "points: [{ id: voltage, table: coil, address: 0, type: bool }]";
  const path = fileOf(site([`profile: ${name}, interval: 3s, ${own}`]));
  const values = loadEffective(path, none, host);
  const device = "gateways[hall].devices[d0]";
  const shown = (key: string) => {
    const found = values.filter((value) => value.key === `${device}.${key}`);
    return found.map(({ value, origin }) => [value, origin]);
  };
  const at = (line: number, column: number) => ({ kind: "profile", profile: name, line, column });
  assert.deepEqual(shown("merge.maxGap"), [["2", at(1, 18)]]);
  assert.deepEqual(shown("points[power].address"), [["0", at(4, 43)]]);
  assert.deepEqual(shown("points[power].order"), [["ABCD", { kind: "default" }]]);
  assert.deepEqual(shown("points[power].interval"), [
    ["3s", { kind: "inherited", from: `${device}.interval` }],
  ]);
  assert.deepEqual(
    shown("points[voltage].table").map(([value]) => value),
    ["coil"],
    "a point that is replaced is there once",
  );
});

test("the profiles that come with edgepoll have no mistakes, and nothing without effect", () => {
  const shipped = fileURLToPath(new URL("../../config/profiles/", import.meta.url));
  const names = execFileSync("find", [shipped, "-type", "f"], { encoding: "utf8" }).trim();
  for (const file of names.split("\n")) {
    const name = file.slice(shipped.length).replace(/\.yaml$/, "");
    assert.match(name, /^[a-z0-9-]+\/[a-z0-9-]+$/, "maker and model");
    assert.match(readFileSync(file, "utf8"), /^# /, "says what it is");
    const { site: loaded, warnings } = load(site([`profile: ${name}`]));
    assert.deepEqual([loaded.withoutEffect, warnings], [[], []]);
  }
});
