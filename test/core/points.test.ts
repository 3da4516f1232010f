import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gateway, Point } from "../../src/core/model.ts";
import { metaOf } from "../../src/core/payloads.ts";
import { planSchedule } from "../../src/core/plan.ts";
import { outcomeOf, readingOf, type Reading, type RequestResult } from "../../src/core/reading.ts";

const REST = { table: "holding", order: "ABCD", interval: 1000 } as const;
const POINTS: readonly Point[] = [
  { ...REST, id: "energy", address: 0, type: "uint64" },
  { ...REST, id: "total", address: 0, type: "uint64", scale: 0.001, decimals: 2, unit: "MWh" },
  { ...REST, id: "serial", address: 4, type: "string", length: 3 },
  { ...REST, id: "fingerprint", address: 4, type: "raw", length: 2 },
  { ...REST, id: "mode", address: 7, type: "uint8", byte: "high", enum: { "1": "running" } },
  { ...REST, id: "stage", address: 7, type: "uint8", enum: { "1": "running" } },
  { ...REST, id: "flow", address: 8, type: "int16", scale: 0.1, max: 500, invalid: [32_767] },
  { ...REST, id: "clock", address: 9, type: "bcd16" },
  { ...REST, id: "fault", address: 10, type: "bool", bit: 3 },
];

function gatewayOf(points: readonly Point[]): Gateway {
  const merge = { maxGap: 8, maxRegisters: 125, maxBits: 2000 };
  return {
    id: "hall",
    connection: { kind: "tcp", url: "tcp://10.0.0.5:502", host: "10.0.0.5", port: 502 },
    timeout: { default: 1000 },
    retries: 1,
    failureThreshold: 10,
    probe: "never",
    devices: [{ id: "plc", unitId: 2, retain: false, merge, points }],
  };
}

/** The reading of all points from one answer with these words. */
function readingFrom(hex: string, points = POINTS): { reading: Reading; results: RequestResult[] } {
  const words = Uint16Array.from(hex.split(" "), (word) => parseInt(word, 16));
  const requests = planSchedule(gatewayOf(points), 1000).devices.flatMap((plan) => plan.requests);
  const [request] = requests;
  assert.ok(request !== undefined && requests.length === 1 && request.count === words.length);
  const answer = { ok: true, words, sentAt: 1, endedAt: 2 } as const;
  const results: RequestResult[] = [{ request, last: answer, earlier: [] }];
  const names = { node: "n", gateway: "hall", device: "plc" };
  const reading = readingOf({
    ...{ ...names, interval: 1000, epoch: 1, seq: 1, slot: 1000 },
    ...{ results, late: 0, settledAt: 2, wallOffset: 0, clockUnsure: false },
  });
  return { reading, results };
}

test("points of every kind that share registers are read from one answer, each with its type", () => {
  const { reading, results } = readingFrom(
    "0020 0000 0000 0001 4142 4300 ffff 0101 03e8 1234 0008",
  );
  assert.equal(reading.quality, "good");
  assert.equal(reading.uncertain, undefined);
  assert.deepEqual(reading.values, {
    energy: "9007199254740993",
    total: 9007199254740.99,
    serial: "ABC",
    fingerprint: "41424300",
    mode: "running",
    stage: "running",
    flow: 100,
    clock: 1234,
    fault: true,
  });
  assert.equal(outcomeOf(results, [reading]), "good");
});

test("values that are doubtful make the reading uncertain, and it says which and why", () => {
  const { reading, results } = readingFrom(
    "0000 0000 0000 0000 0000 0000 0000 0107 1389 1234 0000",
  );
  assert.equal(reading.quality, "uncertain");
  assert.deepEqual(reading.uncertain, { stage: "unlisted", flow: "out_of_range" });
  assert.deepEqual([reading.values["stage"], reading.values["flow"]], ["7", 500.1]);
  assert.equal(reading.errors, undefined);
  assert.equal(outcomeOf(results, [reading]), "good");
});

test("values that the device says are none, or that are no digits, are errors with a reason", () => {
  const { reading, results } = readingFrom(
    "0000 0000 0000 0000 0000 0000 0000 0101 7fff 12f4 0000",
  );
  assert.equal(reading.quality, "uncertain");
  assert.deepEqual(reading.errors, { flow: { reason: "invalid" }, clock: { reason: "invalid" } });
  assert.equal("flow" in reading.values, false);
  assert.equal(outcomeOf(results, [reading]), "partial");
  const alone = POINTS.filter(({ id }) => id === "flow" || id === "clock");
  const { reading: bad } = readingFrom("7fff ffff", alone);
  assert.deepEqual([bad.quality, bad.reason, bad.values], ["bad", "invalid", {}]);
});

test("the meta payload names the type of each point's values, and its labels", () => {
  const meta = metaOf("n", gatewayOf(POINTS), () => 0);
  assert.deepEqual(JSON.parse(JSON.stringify(meta)), {
    node: "n",
    gateway: "hall",
    connection: "tcp://10.0.0.5:502",
    schedules: [{ interval: 1000, phase: 0 }],
    devices: [
      {
        device: "plc",
        unitId: 2,
        points: [
          { point: "energy", type: "uint64", json: "string", interval: 1000 },
          {
            ...{ point: "total", unit: "MWh", type: "uint64", json: "number" },
            ...{ interval: 1000, decimals: 2 },
          },
          { point: "serial", type: "string", json: "string", interval: 1000 },
          { point: "fingerprint", type: "raw", json: "string", interval: 1000 },
          ...["mode", "stage"].map((point) => {
            const labels = { "1": "running" };
            return { point, type: "uint8", json: "string", interval: 1000, enum: labels };
          }),
          { point: "flow", type: "int16", json: "number", interval: 1000 },
          { point: "clock", type: "bcd16", json: "number", interval: 1000 },
          { point: "fault", type: "bool", json: "boolean", interval: 1000 },
        ],
      },
    ],
  });
});
