/** The file and what it takes from outside. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig, readStateDir } from "../../src/config/load.ts";
import { fileOf, folder, host, load, none, plant, POWER, refusal } from "./plant.ts";

test("a byte order mark and Windows line ends make no difference", () => {
  const text = plant([POWER]);
  const plain = { ...load(text).site, hash: "" };
  const windows = { ...load(`\ufeff${text.replaceAll("\n", "\r\n")}`).site, hash: "" };
  assert.deepEqual(windows, plain);
});

test("values come from variables, files beside the configuration, and credentials", () => {
  writeFileSync(join(folder, "mqtt.secret"), "from-file\n");
  const env = {
    USER_NAME: "edge",
    EMPTY: "",
    ON: "false",
    WAIT: "2s",
    CREDENTIALS_DIRECTORY: folder,
  };
  const broker = (password: string) => {
    const head = `mqtt: { broker: "mqtt://b", username: "\${ENV:USER_NAME}-1", password: "${password}" }\n`;
    const gateway = "    enabled: ${ENV:ON}\n    interval: ${ENV:WAIT}\n";
    const { site } = load(head + plant([POWER], { gateway }), env);
    assert.deepEqual(site.disabledGateways, ["boiler-room"]);
    return site.broker.kind === "external" ? [site.broker.username, site.broker.password] : [];
  };
  assert.deepEqual(broker("${FILE:mqtt.secret}"), ["edge-1", "from-file"]);
  assert.deepEqual(broker("${CRED:mqtt.secret}"), ["edge-1", "from-file"]);
  assert.deepEqual(broker("${ENV:EMPTY}"), ["edge-1", ""]);
  assert.deepEqual(broker("${ENV:EMPTY:-fallback}"), ["edge-1", "fallback"]);
  assert.deepEqual(broker("${ENV:UNSET:-}"), ["edge-1", ""]);
});

test("what comes from outside is text: it is not looked through again, and is no YAML", () => {
  const text = `mqtt: { broker: "mqtt://b", password: "\${ENV:PW}" }\n${plant([POWER])}`;
  for (const PW of ["${ENV:PW}", "a: b # c", "007", "true", "$&$1"]) {
    const { broker } = load(text, { PW }).site;
    assert.equal(broker.kind === "external" && broker.password, PW);
  }
});

test("a file that is not there, no file, too large or not text is refused by name", () => {
  const pipe = join(folder, "pipe.yaml");
  execFileSync("mkfifo", [pipe]);
  const cases: [string, string, RegExp][] = [
    [join(folder, "absent.yaml"), "CONFIG_MISSING", /absent\.yaml does not exist$/],
    [folder, "CONFIG_UNREADABLE", /is not a regular file$/],
    [pipe, "CONFIG_UNREADABLE", /pipe\.yaml is not a regular file$/],
    ["/dev/zero", "CONFIG_UNREADABLE", /is not a regular file$/],
    [
      fileOf("#".repeat(4 * 2 ** 20 + 1)),
      "CONFIG_UNREADABLE",
      /is larger than 4096 KiB; let devices .* share/,
    ],
    [fileOf(new Uint8Array([0x61, 0xff])), "CONFIG_UNREADABLE", /is not UTF-8 text$/],
  ];
  for (const [path, code, text] of cases) {
    const error = refusal(() => loadConfig(path, none, host));
    assert.equal(error.code, code);
    assert.match(error.message, text);
  }
});

test("the state directory is found in a file with any other mistake, and no secret is asked for", () => {
  const asked: string[] = [];
  const env = (name: string) => {
    asked.push(name);
    return name === "DIR" ? "data" : undefined;
  };
  const read = (text: string) => readStateDir(fileOf(text), env, host);
  const broken = 'mqtt: { password: "${ENV:PW}", brokr: x }\ngateways: 5\nlog: [\n';
  assert.equal(read(`stateDir: ./a\n${broken}`), join(folder, "a"));
  assert.equal(read(`stateDir: \${ENV:DIR}/b\n${broken}`), join(folder, "data/b"));
  assert.equal(read("stateDir: /var/lib/x\n"), "/var/lib/x");
  assert.equal(read(broken), "/default/state");
  assert.equal(read(""), "/default/state");
  assert.deepEqual(asked, ["DIR"]);
  const error = refusal(() => read("stateDir: ${ENV:UNSET}\n"));
  assert.match(error.message, /:1:11 {2}stateDir needs the environment variable UNSET/);
});

test("a site of 200 gateways with 50 points each loads", () => {
  const points = Array.from({ length: 50 }, (_, index) => {
    return `          - { id: p${String(index)}, table: holding, address: ${String(index * 2)}, type: float32 }\n`;
  });
  const gateways = Array.from({ length: 200 }, (_, index) => {
    const head = `  - id: g${String(index)}\n    connection: tcp://10.0.0.${String(index)}\n`;
    return `${head}    devices:\n      - id: d\n        unitId: 1\n        points:\n${points.join("")}`;
  });
  const { site } = load(`gateways:\n${gateways.join("")}`);
  assert.equal(site.gateways.length, 200);
  assert.equal(site.gateways.at(-1)?.devices[0]?.points.length, 50);
});

test("a mistake in each of 10,000 points is counted, and the report stays short", () => {
  const points = Array.from({ length: 10_000 }, (_, index) => {
    return `{ id: p${String(index)}, table: coil, address: -1, type: bool }`;
  });
  const { message } = refusal(() => load(plant(points)));
  assert.match(message, /\n10000 mistakes, of which 100 are shown$/);
  assert.ok(message.length < 50_000);
});

test("devices that share their points by an anchor are the same as with the points written out", () => {
  const first = plant([POWER]).replace("points:", "points: &meter");
  const other = `  - id: roof
    connection: tcp://10.0.0.6
    devices:
      - { id: plc, unitId: 2, points: *meter }
`;
  const { gateways } = load(first + other).site;
  assert.deepEqual(gateways[1]?.devices, gateways[0]?.devices);
  const later = load((first + other).replace("float32 }", "float32, deadband: 1 }")).site;
  assert.deepEqual(
    later.withoutEffect,
    ["boiler-room", "roof"].map((id) => `gateways[${id}].devices[plc].points[power].deadband`),
  );
});

test("an anchor may be used for every device of a large site", () => {
  const first = plant([POWER]).replace("points:", "points: &meter");
  const others = Array.from({ length: 3000 }, (_, index) => {
    return `      - { id: d${String(index)}, unitId: 2, points: *meter }\n`;
  });
  const { gateways } = load(first + others.join("")).site;
  assert.equal(gateways[0]?.devices.length, 3001);
});

test("what anchors multiply to is limited by its size", () => {
  const points = Array.from({ length: 800 }, (_, index) => {
    return `{ id: p${String(index)}, table: coil, address: ${String(index)}, type: bool }`;
  });
  const first = plant(points).replace("points:", "points: &meter");
  const others = Array.from({ length: 1100 }, (_, index) => {
    return `      - { id: d${String(index)}, unitId: 2, points: *meter }\n`;
  });
  const { message } = refusal(() => load(first + others.join("")));
  assert.match(
    message,
    /anchors multiply this file to 4\.41e\+6 values, of which 4\.00e\+3 stand here/,
  );
});
