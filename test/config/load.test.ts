/** What a configuration comes to as a site. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/load.ts";
import { folder, host, load, none, plant, pointsOf, POWER, refusal } from "./plant.ts";

test("the demo loads, on the port that EDGEPOLL_PORT names", () => {
  const demo = fileURLToPath(new URL("../../config/edgepoll.yaml", import.meta.url));
  const { site, warnings } = loadConfig(demo, none, host);
  assert.deepEqual(warnings, []);
  assert.deepEqual(site.withoutEffect, []);
  assert.equal(site.node, "demo");
  assert.equal(site.stateDir, fileURLToPath(new URL("../../state", import.meta.url)));
  assert.deepEqual(site.broker, { kind: "embedded", host: "127.0.0.1", port: 1883 });
  assert.deepEqual(
    site.gateways.map(({ id, connection }) => [id, connection.url]),
    [
      ["meter-hall", "simulator://energy-meter"],
      ["meter-roof", "simulator://energy-meter"],
    ],
  );
  assert.deepEqual(site.gateways[0]?.devices[0]?.points.at(5), {
    id: "status",
    table: "holding",
    address: 0,
    type: "uint16",
    order: "ABCD",
    interval: 10_000,
  });
  const moved = loadConfig(demo, (name) => (name === "EDGEPOLL_PORT" ? "2883" : undefined), host);
  assert.deepEqual(moved.site.broker, { kind: "embedded", host: "127.0.0.1", port: 2883 });
});

test("what the file does not say is filled in", () => {
  const text = plant([POWER]);
  assert.deepEqual(load(text).site, {
    node: "box_1-plant-local",
    stateDir: "/default/state",
    baseTopic: "polling",
    broker: { kind: "embedded", host: "127.0.0.1", port: 1883 },
    spool: { maxBytes: 256 * 2 ** 20, maxAge: 7 * 86_400_000 },
    keep: {
      outcomes: 30 * 86_400_000,
      audit: 400 * 86_400_000,
      hourly: 5 * 365 * 86_400_000,
      maxBytes: 2 ** 30,
    },
    logLevel: "info",
    gateways: [
      {
        id: "boiler-room",
        connection: { kind: "tcp", url: "tcp://10.0.0.5:502", host: "10.0.0.5", port: 502 },
        timeout: { default: 1000 },
        retries: 1,
        failureThreshold: 10,
        probe: { first: 30_000, max: 300_000 },
        devices: [
          {
            id: "plc",
            unitId: 2,
            retain: false,
            merge: { maxGap: 8, maxRegisters: 125, maxBits: 2000 },
            points: [
              {
                id: "power",
                table: "holding",
                address: 0,
                type: "float32",
                order: "ABCD",
                interval: 10_000,
              },
            ],
          },
        ],
      },
    ],
    disabledGateways: [],
    budget: { warn: 80, refuse: 100 },
    hash: createHash("sha256").update(text).digest("hex"),
    withoutEffect: [],
  });
});

test("what the file says is taken over, durations in ms and sizes in bytes", () => {
  const head = `node: plant-a
stateDir: data
mqtt: { baseTopic: p/a, broker: "mqtt://b:1884", clientId: 7, username: 08, password: 0123, spool: { maxBytes: 1GiB, maxAge: 1h } }
store: { claimAhead: 2s }
log: { level: warn }
defaults: { interval: 1m, timeout: 2s, retries: 0 }
`;
  const full =
    "{ id: 007, reference: 300011, type: int32, order: CDAB, scale: 0.1, offset: -20, decimals: 1, unit: °C }";
  const gateway =
    "    phase: 1s\n    timeout: 3s\n    retries: 2\n    merge: { maxGap: 0, maxBits: 16 }\n";
  const { site } = load(
    head + plant([full], { gateway, device: "        merge: { maxGap: 4 }\n" }),
  );
  const { hash, gateways, ...rest } = site;
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    node: "plant-a",
    stateDir: join(folder, "data"),
    baseTopic: "p/a",
    clientId: "7",
    broker: { kind: "external", url: "mqtt://b:1884", username: "08", password: "0123" },
    spool: { maxBytes: 2 ** 30, maxAge: 3_600_000 },
    keep: {
      outcomes: 30 * 86_400_000,
      audit: 400 * 86_400_000,
      hourly: 5 * 365 * 86_400_000,
      maxBytes: 2 ** 30,
    },
    claimAhead: 2000,
    logLevel: "warn",
    disabledGateways: [],
    budget: { warn: 80, refuse: 100 },
    withoutEffect: [],
  });
  assert.equal(gateways[0]?.phase, 1000);
  assert.deepEqual(gateways[0].timeout, { configured: 3000, default: 2000 });
  assert.equal(gateways[0].retries, 2);
  const [device] = gateways[0].devices;
  assert.deepEqual(device?.merge, { maxGap: 4, maxRegisters: 125, maxBits: 16 });
  assert.deepEqual(device.points, [
    {
      id: "007",
      table: "input",
      address: 10,
      type: "int32",
      order: "CDAB",
      interval: 60_000,
      scale: 0.1,
      offset: -20,
      decimals: 1,
      unit: "°C",
    },
  ]);
});

test("every type is taken over with the keys it has, raw values as the type has them", () => {
  const rows: readonly (readonly [keys: string, more: object])[] = [
    ["int8", {}],
    ["uint8, byte: high", { byte: "high" }],
    ["float16, min: -5.5", { min: -5.5 }],
    [
      "float64, min: 0, max: 1e9, invalid: [-9999.9, 1e30]",
      { min: 0, max: 1e9, invalid: [-9999.9, 1e30] },
    ],
    ["bcd16, invalid: [9999]", { invalid: [9999] }],
    ["bcd32, enum: { 99999999: full }", { enum: { "99999999": "full" } }],
    ["int16, invalid: [0x7fff, -1, '5']", { invalid: [32_767, -1, 5] }],
    ["string, length: 8", { length: 8 }],
    ["raw, length: 125", { length: 125 }],
    ["int64, max: 5, invalid: [-9223372036854775808, 7]", { max: 5, invalid: [-(2n ** 63n), 7n] }],
    [
      "uint64, scale: 0.001, decimals: 2, invalid: [0xFFFFFFFFFFFFFFFF]",
      { scale: 0.001, decimals: 2, invalid: [2n ** 64n - 1n] },
    ],
    ["uint16, enum: { 0: stopped, 1: '1' }", { enum: { "0": "stopped", "1": "1" } }],
    ["int8, enum: { -1: no, 0: yes }", { enum: { "-1": "no", "0": "yes" } }],
  ];
  const place = (keys: string, index: number) =>
    `{ id: p${String(index)}, table: holding, address: 0, type: ${keys} }`;
  const { site } = load(plant(rows.map(([keys], index) => place(keys, index))));
  const rest = { table: "holding", address: 0, order: "ABCD", interval: 10_000 };
  assert.deepEqual(
    pointsOf(site),
    rows.map(([keys, more], index) => {
      return { id: `p${String(index)}`, type: /^\w+/.exec(keys)?.[0], ...rest, ...more };
    }),
  );
  assert.deepEqual(site.withoutEffect, []);
});

test("an interval is the point's, else the device's, else the gateway's, else the default", () => {
  const point = (id: string, interval = "") =>
    `{ id: ${id}, table: coil, address: 1, type: bool${interval} }`;
  const points = [point("a"), point("b", ", interval: 1s")];
  const intervals = (text: string) => pointsOf(load(text).site).map(({ interval }) => interval);
  const gateway = "    interval: 3s\n";
  const device = "        interval: 2s\n";
  assert.deepEqual(intervals(plant(points, { gateway, device })), [2000, 1000]);
  assert.deepEqual(intervals(plant(points, { gateway })), [3000, 1000]);
  assert.deepEqual(intervals(`defaults: { interval: 4s }\n${plant(points)}`), [4000, 1000]);
});

test("ids and references are read from the source text", () => {
  const site = load(
    plant([
      "{ id: 1, reference: 000010, type: bool }",
      "{ id: 0x1, reference: 040001, type: bool }",
    ]),
  ).site;
  assert.deepEqual(
    pointsOf(site).map(({ id, table, address }) => [id, table, address]),
    [
      ["1", "coil", 9],
      ["0x1", "coil", 40_000],
    ],
  );
});

test("a disabled gateway is checked, and then only its id is left", () => {
  const disabled = plant([POWER], { gateway: "    enabled: false\n" });
  const { site } = load(disabled);
  assert.deepEqual([site.gateways, site.disabledGateways], [[], ["boiler-room"]]);
  assert.match(refusal(() => load(disabled.replace("float32", "float33"))).message, /float32/);
});

test("the breaker's rules of a gateway are its own words, then the defaults', key by key", () => {
  const rules = (defaults: string, gateway: string) => {
    const [one] = load(`defaults: { ${defaults} }\n${plant([POWER], { gateway })}`).site.gateways;
    return [one?.failureThreshold, one?.probe];
  };
  assert.deepEqual(rules("interval: 1s", ""), [10, { first: 30_000, max: 300_000 }]);
  assert.deepEqual(rules("failureThreshold: 3, probe: never", ""), [3, "never"]);
  const own = "    failureThreshold: 4\n    probe: { first: 5s }\n";
  assert.deepEqual(rules("failureThreshold: 3, probe: { max: 1m }", own), [
    4,
    { first: 5000, max: 60_000 },
  ]);
  assert.deepEqual(rules("probe: never", own), [4, { first: 5000, max: 300_000 }]);
  assert.deepEqual(rules("probe: { first: 1s }", "    probe: never\n"), [10, "never"]);
});

test("keys of later versions are named when they were given, and only then", () => {
  const head = `mqtt: { values: false, username: u, embedded: { websocket: { port: 9001 } } }
http: {}
store: { keep: { audit: 400d } }
budget: { warn: 70, refuse: never }
`;
  const gateway = "    pause: {}\n    closeAfterPoll: true\n";
  const point =
    "{ id: flow, table: input, address: 60, type: int16, deadband: 0.5, onChange: true, maxSilence: 1m }";
  const flow = "gateways[boiler-room].devices[plc].points[flow].";
  assert.deepEqual([...load(head + plant([point], { gateway })).site.withoutEffect].sort(), [
    ...["deadband", "maxSilence", "onChange"].map((key) => flow + key),
    "http",
    "mqtt.embedded.websocket",
    "mqtt.values",
  ]);
  const external = `mqtt: { broker: "mqtt://b", embedded: { port: 1 } }\n${plant([POWER])}`;
  assert.match(load(external).warnings.join(), /mqtt\.embedded has no effect with an external/);
  const users = `mqtt: { username: edge, password: secret }\n${plant([POWER])}`;
  const { warnings } = load(users);
  assert.equal(warnings.length, 2);
  assert.match(warnings.join(), /mqtt\.username is for an external broker/);
  assert.doesNotMatch(warnings.join(), /secret/);
});

test("a time-out longer than the interval is a warning with its place", () => {
  const { warnings } = load(plant([POWER], { gateway: "    interval: 1s\n    timeout: 2s\n" }));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /\.yaml:5:14 {2}gateways\[boiler-room\]\.timeout is longer/);
  const { warnings: quiet } = load(plant([POWER], { gateway: "    timeout: 10s\n" }));
  assert.deepEqual(quiet, []);
});

test("two gateways may name one endpoint", () => {
  const one = plant([POWER]);
  const other = one.replace("gateways:\n", "").replace("boiler-room", "boiler-room-2");
  assert.equal(load(one + other).site.gateways.length, 2);
});

test("a gateway that is disabled need not agree with the others of its endpoint", () => {
  const one = plant([POWER]);
  const other = (enabled: string) =>
    plant([POWER], { gateway: `    closeAfterPoll: true\n    enabled: ${enabled}\n` })
      .replace("gateways:\n", "")
      .replace("boiler-room", "boiler-room-2");
  assert.match(refusal(() => load(one + other("true"))).message, /closeAfterPoll must be as in/);
  assert.equal(load(one + other("false")).site.gateways.length, 1);
});
