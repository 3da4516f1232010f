/** Points whose power of ten lies in another register of the device. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decoderOf } from "../../src/core/decode.ts";
import { halvesOf } from "../../src/core/halves.ts";
import type { Gateway, MergeLimits, Point } from "../../src/core/model.ts";
import { planSchedule, type PlannedRequest } from "../../src/core/plan.ts";
import { configurationOf } from "../../src/core/refusals.ts";
import { planSite } from "../../src/core/site-plan.ts";
import { jsonOf } from "../../src/core/types.ts";
import { load } from "../config/plant.ts";

const POWER: Point = {
  ...{ id: "power", table: "holding", address: 100, type: "int16", order: "ABCD", interval: 1000 },
  scaleRegister: 101,
};

function decoded(point: Partial<Point>, words: readonly number[], at = 0): unknown {
  return decoderOf({ ...POWER, ...point })(Uint16Array.from(words), at);
}

function gatewayOf(points: readonly Point[], merge: Partial<MergeLimits> = {}): Gateway {
  const limits = { maxGap: 8, maxRegisters: 125, maxBits: 2000, ...merge };
  return {
    id: "roof",
    connection: { kind: "tcp", url: "tcp://10.0.0.5:502", host: "10.0.0.5", port: 502 },
    timeout: { default: 1000 },
    retries: 1,
    failureThreshold: 10,
    probe: "never",
    devices: [{ id: "inverter", unitId: 1, retain: false, merge: limits, points }],
  };
}

function requestsOf(points: readonly Point[], merge: Partial<MergeLimits> = {}) {
  const plan = planSchedule(gatewayOf(points, merge), 1000);
  return plan.devices.flatMap(({ requests }) => requests);
}

const placesOf = (requests: readonly PlannedRequest[]) =>
  requests.map(({ address, count, points }) => [address, count, points.map(({ at }) => at)]);

test("a value follows its scale register from one answer to the next", () => {
  const decode = decoderOf(POWER);
  const read = (raw: number, power: number) => decode(Uint16Array.of(raw, power & 0xffff), 0);
  assert.deepEqual(
    [-2, -1, 0, 1, -2].map((power) => read(6553, power)),
    [65.53, 655.3, 6553, 65_530, 65.53].map((value) => ({ value })),
  );
});

test("a scale register may lie before the value, behind its neighbours, and anywhere in the answer", () => {
  assert.deepEqual(decoded({ scaleRegister: 98 }, [0xfffe, 7, 1234], 2), { value: 12.34 });
  assert.deepEqual(decoded({ scaleRegister: 104 }, [9, 0xfffe, 7, 7, 7, 3], 1), { value: -2000 });
});

test("a scale register beyond ten either way, or that says it is none, leaves no value", () => {
  for (const power of [0x8000, 11, 0xfff5, 0x7fff]) {
    assert.deepEqual(decoded({}, [1, power]), { reason: "invalid" });
  }
  assert.deepEqual(decoded({}, [3, 10]), { value: 3e10 });
  assert.deepEqual(decoded({}, [3, 0xfff6]), { value: 3e-10 });
});

test("scale, offset, limits and invalid values hold beside a scale register", () => {
  const kilo = { scale: 0.001, decimals: 2, max: 100 };
  assert.deepEqual(decoded(kilo, [12_345, 0]), { value: 12.35 });
  assert.deepEqual(decoded(kilo, [12_345, 1]), { value: 123.45, uncertain: "out_of_range" });
  assert.deepEqual(decoded({ offset: -20 }, [500, 0xffff]), { value: 30 });
  assert.deepEqual(decoded({ invalid: [-32_768] }, [0x8000, 0]), { reason: "invalid" });
});

test("a long integer with a scale register is a number whatever the register holds", () => {
  const long = { type: "uint64", scaleRegister: 104 } as const;
  assert.equal(jsonOf({ ...POWER, ...long }), "number");
  assert.deepEqual(decoded(long, [0, 0, 0, 5, 0]), { value: 5 });
  assert.deepEqual(decoded(long, [0, 0x20, 0, 0, 0xfffd]), { value: 137438953.472 });
});

test("every value is the decimal that its digits and its power of ten spell", () => {
  const int16 = fc.integer({ min: -32_768, max: 32_767 });
  fc.assert(
    fc.property(int16, fc.integer({ min: -10, max: 10 }), (raw, power) => {
      const value = Number(`${String(raw)}e${String(power)}`);
      assert.deepEqual(decoded({}, [raw & 0xffff, power & 0xffff]), { value: value + 0 });
    }),
  );
});

test("a value and its scale register are read in one request, never in two", () => {
  const currents = [0, 1, 2, 3].map((n): Point => {
    return { ...POWER, id: `a${String(n)}`, address: 72 + n, type: "uint16", scaleRegister: 76 };
  });
  const voltage: Point = { ...POWER, id: "v", address: 80, scaleRegister: 83 };
  assert.deepEqual(placesOf(requestsOf([...currents, voltage], { maxRegisters: 5, maxGap: 0 })), [
    [72, 5, [0, 1, 2, 3]],
    [80, 4, [0]],
  ]);
  const before: Point = { ...POWER, id: "b", address: 60, scaleRegister: 50 };
  assert.deepEqual(placesOf(requestsOf([before])), [[50, 11, [10]]]);
});

test("a request is never cut between a value and its scale register", () => {
  const points: Point[] = [
    { ...POWER, id: "late", address: 110, scaleRegister: 100 },
    { ...POWER, id: "plain", address: 104, scaleRegister: 112 },
    { ...POWER, id: "alone", address: 113, scaleRegister: 114 },
  ];
  const [request] = requestsOf(points);
  assert.ok(request);
  const halves = halvesOf(request);
  assert.ok(halves);
  assert.deepEqual(placesOf(halves), [
    [100, 13, [4, 10]],
    [113, 2, [0]],
  ]);
  assert.equal(halvesOf(halves[0]), undefined);
});

test("a scale register counts as used, and another one as another configuration", () => {
  const gateway = gatewayOf([POWER, { ...POWER, id: "more", address: 105, scaleRegister: 103 }]);
  const { requests } = planSite({ ...siteOf(), gateways: [gateway] });
  assert.deepEqual(
    requests.map(({ count, unused }) => [count, unused]),
    [[6, 2]],
  );
  const keyOf = (scaleRegister: number) => {
    const [device] = gatewayOf([{ ...POWER, address: 100, scaleRegister }]).devices;
    assert.ok(device);
    return configurationOf(gateway, device);
  };
  assert.notEqual(keyOf(101), keyOf(103));
});

test("a configuration says where a value's scale register is", () => {
  const point = "{ id: power, table: holding, address: 40083, type: int16, scaleRegister: 40084 }";
  const { site } = load(`gateways:
  - id: roof
    connection: tcp://10.0.0.5
    devices: [{ id: inverter, unitId: 1, points: [${point}] }]
`);
  const [read] = site.gateways.flatMap(({ devices }) => devices.flatMap(({ points }) => points));
  assert.equal(read?.scaleRegister, 40_084);
});

function siteOf() {
  return load(`gateways:
  - id: roof
    connection: tcp://10.0.0.5
    devices: [{ id: i, unitId: 1, points: [{ id: p, table: coil, address: 0, type: bool }] }]
`).site;
}
