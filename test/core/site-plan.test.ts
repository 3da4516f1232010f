import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device, Gateway, Point, Site } from "../../src/core/model.ts";
import { referenceOf } from "../../src/core/reference.ts";
import { rtuBytes, serialTime, tcpBytes } from "../../src/core/request-cost.ts";
import { planSite } from "../../src/core/site-plan.ts";

function point(address: number, interval = 1000, table: Point["table"] = "holding"): Point {
  const type = table === "holding" || table === "input" ? "uint16" : "bool";
  return { id: `p${String(address)}`, table, address, type, order: "ABCD", interval };
}

function device(points: Point[], id = "plc", unitId = 2): Device {
  const merge = { maxGap: 8, maxRegisters: 125, maxBits: 2000 };
  return { id, unitId, retain: false, merge, points };
}

function gateway(id: string, host: string, ...devices: Device[]): Gateway {
  const connection = { kind: "tcp", url: `tcp://${host}:502`, host, port: 502 } as const;
  return {
    id,
    connection,
    timeout: { default: 1000 },
    retries: 1,
    failureThreshold: 10,
    probe: "never",
    devices,
  };
}

function site(...gateways: Gateway[]): Site {
  return {
    ...{ node: "n", stateDir: "/s", baseTopic: "polling", hash: "", logLevel: "info" },
    broker: { kind: "embedded", host: "127.0.0.1", port: 1883 },
    spool: { maxBytes: 2 ** 20, maxAge: 1 },
    ...{ gateways, disabledGateways: [], withoutEffect: [] },
    budget: { warn: 80, refuse: 100 },
    keep: { outcomes: 1, audit: 1, hourly: 1, maxBytes: 1 },
  };
}

test("a request on a serial line takes the time of its characters and two silences", () => {
  const read = (count: number) => ({ unitId: 1, table: "holding", address: 0, count }) as const;
  const at = (baud: number, count: number) =>
    Number(serialTime(read(count), { baud, bits: 11, turnaround: 0 }).toFixed(1));
  // 13 + 2n characters of 11 bits, and 2 x 3.5 characters, fixed at 1.75 ms above 19,200 baud.
  assert.deepEqual([at(9600, 2), at(9600, 125), at(19_200, 10)], [27.5, 309.4, 22.9]);
  assert.deepEqual([at(38_400, 2), at(115_200, 125)], [8.4, 28.6]);
  assert.equal(rtuBytes(read(10)), 33);
  assert.equal(tcpBytes(read(10)), 41);
  assert.equal(tcpBytes({ ...read(9), table: "coil" }), 23);
});

test("requests show both notations, and what of them belongs to no point", () => {
  const coils = [point(0, 1000, "coil"), point(2, 1000, "coil")];
  const plan = planSite(site(gateway("hall", "a", device([point(10), point(14), ...coils]))));
  assert.deepEqual(
    plan.requests.map((r) => [r.table, r.address, r.reference, r.count, r.unused, r.points.length]),
    [
      ["holding", 10, "400011", 5, 3, 2],
      ["coil", 0, "000001", 3, 1, 2],
    ],
  );
  assert.equal(referenceOf("input", 65_535), "365536");
});

test("gateways that name one endpoint share its time, others do not", () => {
  const points = [0, 100, 200, 300].map((address) => point(address, 100));
  const hall = gateway("hall", "Box", device(points));
  const plan = planSite(
    site(hall, gateway("roof", "box", device([point(0, 1000)])), {
      ...gateway("yard", "yard", device([point(0, 1000)])),
    }),
  );
  assert.deepEqual(
    plan.endpoints.map(({ endpoint, load, together, verdict }) => [
      endpoint,
      load,
      together,
      verdict,
    ]),
    [
      ["tcp://box:502", 82, 100, "tight"],
      ["tcp://yard:502", 2, 20, "ok"],
    ],
  );
});

test("a dead device costs its attempts once, then one time-out a poll", () => {
  const devices = [device([point(0)]), device([point(0)], "other", 3)];
  const plan = planSite(site(gateway("hall", "box", ...devices)));
  const [first] = plan.dead;
  // A retry of 500 ms fits before the next slot of a second.
  assert.deepEqual(
    [first?.timeout, first?.attempts, first?.first, first?.later],
    [500, 2, 1000, 500],
  );
  assert.deepEqual([first?.load, first?.withOthers], [50, 52]);
  const long = { ...gateway("hall", "box", ...devices), timeout: { configured: 600, default: 1 } };
  assert.equal(planSite(site(long)).dead[0]?.attempts, 1, "a retry that does not fit is not made");
});

test("a dead device costs that until its breaker opens: a row of polls, and at least 10 s", () => {
  const of = (interval: number, failureThreshold: number, probe: Gateway["probe"] = "never") => {
    const hall = gateway("hall", "box", device([point(0, interval)]));
    const [unit] = planSite(site({ ...hall, failureThreshold, probe })).dead;
    return [unit?.polls, unit?.lasts, unit?.probe];
  };
  assert.deepEqual(of(10_000, 10), [10, 90_000, "never"]);
  assert.deepEqual(of(1000, 3), [11, 10_000, "never"]);
  assert.deepEqual(of(3000, 1), [5, 12_000, "never"], "the first that is 10 s after the first");
  assert.deepEqual(of(60_000, 1), [2, 60_000, "never"]);
  const probe = { first: 30_000, max: 300_000 };
  assert.deepEqual(of(10_000, 10, probe), [10, 90_000, probe]);
});

test("disk: the spool lasts as long as readings of that size fill it, claims may be shared", () => {
  const plan = planSite(site(gateway("hall", "box", device([point(0, 1000), point(1, 10_000)]))));
  const { disk } = plan;
  const day = 86_400;
  assert.equal(
    disk.syncsPerDay,
    day + day + day / 10,
    "the slower schedule has no claim of its own",
  );
  const perHour = disk.schedules.reduce((sum, s) => sum + (s.pollsPerDay * s.readingBytes) / 24, 0);
  assert.equal(disk.hoursUntilFull, Math.round((2 ** 20 / perHour) * 10) / 10);
  assert.ok(disk.schedules.every((s) => s.bytesPerPoll > s.readingBytes + 200));
  const ahead = planSite({
    ...site(gateway("hall", "box", device([point(0)]))),
    claimAhead: 10_000,
  });
  assert.equal(ahead.disk.syncsPerDay, day + day / 10);
});

const LINE: Extract<Gateway["connection"], { kind: "serial" }> = {
  ...{ kind: "serial", url: "serial:///dev/ttyUSB0", path: "/dev/ttyUSB0" },
  ...{ baud: 9600, parity: "even", stopBits: 1 },
};

test("a serial line is loaded by its characters, silences, turnaround and pauses", () => {
  const pause = { afterConnect: 0, betweenRequests: 30, betweenUnits: 50 };
  const plain = { ...gateway("hall", "", device([point(0)])), connection: LINE };
  const units = [device([point(0), point(100)]), device([point(0)], "other", 3)];
  const paused = { ...gateway("roof", "", ...units), connection: LINE, pause };
  const plan = planSite(site(plain, paused));
  const [endpoint] = plan.endpoints;
  assert.equal(endpoint?.endpoint, "/dev/ttyUSB0 9600 8E1");
  // 15 characters and 7 of silence at 1.146 ms, and 20 ms; a pause of 30 ms (50 before another unit) holds one silence of 4 ms.
  assert.deepEqual(
    endpoint.schedules.map(({ ms, bytes }) => [ms, bytes]),
    [
      [45.2, 15],
      [253.6, 45],
    ],
  );
  assert.deepEqual([endpoint.load, endpoint.together, endpoint.verdict], [29.9, 299, "ok"]);
  // 45.2 ms of the 54.7 % that the other one leaves; 253.6 ms of the 75.5 % that are left.
  assert.deepEqual(
    endpoint.schedules.map(({ shortest }) => shortest),
    [100, 500],
  );
  assert.equal(plan.requests[0]?.ms, 45.2);
});

test("without parity and with one stop bit a character has ten bits, with two it has as many as with parity", () => {
  const at = (parity: "none" | "even", stopBits: 1 | 2) => {
    const connection = { ...LINE, parity, stopBits };
    return planSite(site({ ...gateway("hall", "", device([point(0)])), connection })).requests[0]
      ?.ms;
  };
  assert.deepEqual([at("none", 1), at("none", 2), at("even", 1)], [42.9, 45.2, 45.2]);
});

test("a serial line above the budget is too much, a network only above all its time", () => {
  const at = (connection: Gateway["connection"], interval: number, refuse: number | "never") => {
    const hall = { ...gateway("hall", "box", device([point(0, interval)])), connection };
    const plan = planSite({ ...site(hall), budget: { warn: 40, refuse } });
    return plan.endpoints[0]?.verdict;
  };
  assert.deepEqual(
    [at(LINE, 200, 50), at(LINE, 100, 50), at(LINE, 80, 50), at(LINE, 80, "never")],
    ["ok", "tight", "too much", "tight"],
  );
  const tcp = gateway("hall", "box").connection;
  assert.deepEqual([at(tcp, 30, 50), at(tcp, 10, 50)], ["tight", "too much"]);
});

test("a dead unit on a line also costs the quiet time until its answer can no longer come", () => {
  const of = (more: Partial<Gateway>) => {
    const hall = {
      ...gateway("hall", "box", device([point(0, 10_000)])),
      connection: LINE,
      ...more,
    };
    const [unit] = planSite(site(hall)).dead;
    return [unit?.timeout, unit?.quiet, unit?.attempts, unit?.first, unit?.later];
  };
  assert.deepEqual(of({}), [1000, 1000, 2, 4000, 2000]);
  assert.deepEqual(of({ maxAnswerTime: 1500 }), [1000, 500, 2, 3000, 1500]);
  assert.deepEqual(of({ maxAnswerTime: 500 }), [1000, 0, 2, 2000, 1000]);
  assert.deepEqual(
    of({ timeout: { configured: 6000, default: 1 } }),
    [6000, 6000, 1, 12_000, 12_000],
  );
});

test("pauses and a connect for each poll count over a network as well", () => {
  const pause = { afterConnect: 100, betweenRequests: 30, betweenUnits: 10 };
  const units = [device([point(0), point(100)]), device([point(0)], "other", 3)];
  const at = (more: Partial<Gateway>) =>
    planSite(site({ ...gateway("hall", "box", ...units), ...more })).endpoints[0]?.together;
  assert.equal(at({}), 60);
  assert.equal(at({ pause }), 150, "the longer of two pauses holds before another unit");
  assert.equal(at({ pause, closeAfterPoll: true }), 270, "20 ms for the connect, and its pause");
});
