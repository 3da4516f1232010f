import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Connection, Device, Gateway, MergeLimits, Point } from "../../src/core/model.ts";
import { planSchedule } from "../../src/core/plan.ts";
import { serialTime } from "../../src/core/request-cost.ts";
import { isBitTable, widthOf } from "../../src/core/types.ts";

const LIMITS: MergeLimits = { maxGap: 8, maxRegisters: 125, maxBits: 2000 };

const REGISTERS = { unitId: 2, table: "input", address: 0 } as const;

type Sketch = Pick<Point, "table" | "address" | "type" | "length">;

function point(sketch: Sketch, index: number, interval = 1000): Point {
  return { ...sketch, id: `p${String(index)}`, order: "ABCD", interval };
}

function device(points: Point[], merge = LIMITS, id = "plc", unitId = 2): Device {
  return { id, unitId, retain: false, merge, points };
}

const NETWORK: Connection = {
  ...{ kind: "tcp", url: "tcp://10.0.0.5:502", host: "10.0.0.5", port: 502 },
};

function line(baud: number): Connection {
  const path = "/dev/ttyUSB0";
  return { kind: "serial", url: `serial://${path}`, path, baud, parity: "even", stopBits: 1 };
}

function gateway(...devices: Device[]): Gateway {
  return {
    id: "hall",
    connection: NETWORK,
    timeout: { default: 1000 },
    retries: 1,
    failureThreshold: 10,
    probe: "never",
    devices,
  };
}

function holding(address: number, type: Point["type"] = "uint16"): Sketch {
  return { table: "holding", address, type };
}

/** The requests as `table address+count`. */
function ranges(sketches: Sketch[], merge: Partial<MergeLimits> = {}): string[] {
  const points = sketches.map((sketch, index) => point(sketch, index));
  const plan = planSchedule(gateway(device(points, { ...LIMITS, ...merge })), 1000);
  return plan.devices.flatMap(({ requests }) =>
    requests.map((r) => `${r.table} ${String(r.address)}+${String(r.count)}`),
  );
}

test("reads neighbours in one request and bridges a gap up to maxGap", () => {
  const scattered = [1, 2, 3, 5, 6, 10, 11, 12, 14].map((address) => holding(address));
  assert.deepEqual(ranges(scattered, { maxGap: 0 }), [
    "holding 1+3",
    "holding 5+2",
    "holding 10+3",
    "holding 14+1",
  ]);
  assert.deepEqual(ranges(scattered, { maxGap: 1 }), ["holding 1+6", "holding 10+5"]);
  assert.deepEqual(ranges(scattered, { maxGap: 3 }), ["holding 1+14"]);
});

test("never cuts a value in two at the limit of a request", () => {
  const floats = [0, 2, 4].map((address) => holding(address, "float32"));
  assert.deepEqual(ranges(floats, { maxRegisters: 5 }), ["holding 0+4", "holding 4+2"]);
});

test("a short point inside or on top of a longer one does not shorten the request", () => {
  assert.deepEqual(ranges([holding(0, "float32"), holding(0)]), ["holding 0+2"]);
  assert.deepEqual(ranges([holding(0), holding(0, "float32"), holding(0)]), ["holding 0+2"]);
});

test("two bytes of a register are read once, and no text or long value is cut in two", () => {
  assert.deepEqual(ranges([holding(3, "uint8"), holding(3, "int8")]), ["holding 3+1"]);
  const texts: Sketch[] = [0, 6, 12].map((address) => ({
    ...holding(address, "string"),
    length: 6,
  }));
  assert.deepEqual(ranges(texts, { maxRegisters: 17 }), ["holding 0+12", "holding 12+6"]);
  const longs = [0, 4, 8].map((address) => holding(address, "uint64"));
  assert.deepEqual(ranges(longs, { maxRegisters: 11 }), ["holding 0+8", "holding 8+4"]);
});

test("keeps tables apart and counts bits by their own limit", () => {
  const bits = [0, 1, 2].map((address): Sketch => ({ table: "coil", address, type: "bool" }));
  assert.deepEqual(ranges([...bits, holding(0), { ...holding(1), table: "input" }]), [
    "coil 0+3",
    "holding 0+1",
    "input 1+1",
  ]);
  assert.deepEqual(ranges(bits, { maxBits: 2, maxRegisters: 1 }), ["coil 0+2", "coil 2+1"]);
});

test("takes the points of the interval only, devices in the order of the configuration", () => {
  const slow = point(holding(1), 1, 60_000);
  const first = device([point(holding(0), 0), slow], LIMITS, "zulu", 9);
  const second = device([slow], LIMITS, "mike", 4);
  const third = device([point(holding(5), 0)], LIMITS, "alpha", 1);
  const names = (interval: number): string[] =>
    planSchedule(gateway(first, second, third), interval).devices.map((d) => d.device.id);
  assert.deepEqual(names(1000), ["zulu", "alpha"]);
  assert.deepEqual(names(60_000), ["zulu", "mike"]);
  assert.deepEqual(names(5000), []);
  assert.equal(planSchedule(gateway(first), 1000).devices[0]?.requests[0]?.unitId, 9);
});

test("a planned point decodes its own words of the answer", () => {
  const points = [point(holding(10), 0), point(holding(13, "int32"), 1)];
  const [request] = planSchedule(gateway(device(points)), 1000).devices[0]?.requests ?? [];
  const words = Uint16Array.of(5, 0, 0, 0xffff, 0xfffe);
  const values = request?.points.map(({ decode, at }) => decode(words, at));
  assert.deepEqual(values, [{ value: 5 }, { value: -2 }]);
});

const anySketch = (addresses: number): fc.Arbitrary<Sketch> =>
  fc
    .record({
      table: fc.constantFrom("coil", "discrete", "holding", "input"),
      address: fc.nat(addresses),
      type: fc.constantFrom("bool", "int8", "int16", "uint32", "float64", "string"),
      length: fc.integer({ min: 1, max: 5 }),
    } as const)
    .map((sketch) => (isBitTable(sketch.table) ? { ...sketch, type: "bool" } : sketch));

const anyLimits: fc.Arbitrary<MergeLimits> = fc.record({
  maxGap: fc.nat(4),
  maxRegisters: fc.integer({ min: 5, max: 12 }),
  maxBits: fc.integer({ min: 1, max: 9 }),
});

test("every point is covered once and whole, within the limits, gaps included", () => {
  fc.assert(
    fc.property(fc.array(anySketch(60), { maxLength: 60 }), anyLimits, (sketches, limits) => {
      const points = sketches.map((sketch, index) => point(sketch, index));
      const plan = planSchedule(gateway(device(points, limits)), 1000);
      const requests = plan.devices.flatMap((d) => d.requests);
      const seen = requests.flatMap((r) => r.points.map((p) => p.point.id));
      assert.deepEqual(seen.sort(), points.map((p) => p.id).sort());
      for (const request of requests) {
        const longest = isBitTable(request.table) ? limits.maxBits : limits.maxRegisters;
        assert.ok(request.count <= longest);
        const used = new Set<number>();
        for (const { point: planned, at } of request.points) {
          assert.equal(planned.table, request.table);
          assert.equal(request.address + at, planned.address);
          assert.ok(at >= 0 && at + widthOf(planned) <= request.count);
          for (let i = 0; i < widthOf(planned); i++) used.add(at + i);
        }
        assert.ok(used.has(0) && used.has(request.count - 1), "no unused ends");
        let gap = 0;
        for (let i = 0; i < request.count; i++) {
          gap = used.has(i) ? 0 : gap + 1;
          assert.ok(gap <= limits.maxGap);
        }
      }
    }),
  );
});

/** Whether these points may share a request. */
function isAllowed(points: readonly Point[], limits: MergeLimits): boolean {
  const used = new Set(
    points.flatMap((p) => Array.from({ length: widthOf(p) }, (_, i) => p.address + i)),
  );
  const sorted = [...used].sort((a, b) => a - b);
  const first = sorted[0] ?? 0;
  const last = sorted.at(-1) ?? 0;
  const tooFar = sorted.some((a, i) => i > 0 && a - (sorted[i - 1] ?? a) - 1 > limits.maxGap);
  return !tooFar && last - first + 1 <= limits.maxRegisters;
}

/** Least total of `cost` over every way to divide the points into allowed groups. */
function least(
  points: readonly Point[],
  limits: MergeLimits,
  cost: (group: readonly Point[]) => number,
  groups: Point[][] = [],
): number {
  const [next, ...rest] = points;
  if (!next) {
    const allowed = groups.every((group) => isAllowed(group, limits));
    return allowed ? groups.reduce((sum, group) => sum + cost(group), 0) : Infinity;
  }
  const joined = groups.map((group) =>
    least(
      rest,
      limits,
      cost,
      groups.map((g) => (g === group ? [...g, next] : g)),
    ),
  );
  return Math.min(least(rest, limits, cost, [...groups, [next]]), ...joined);
}

/** Registers from the first of a group to the last. */
function spanOf(group: readonly Point[]): number {
  const ends = group.map((each) => each.address + widthOf(each));
  return Math.max(...ends) - Math.min(...group.map(({ address }) => address));
}

test("a gap of a serial line is read when that takes less time than another request", () => {
  const together = (baud: number, gap: number, betweenRequests = 0) => {
    const points = [0, gap + 1].map((address, index) => point(holding(address), index));
    const merge = { maxGap: 2000, maxRegisters: 125, maxBits: 2000 };
    const pause = { afterConnect: 0, betweenRequests, betweenUnits: 0 };
    const hall = { ...gateway(device(points, merge)), connection: line(baud), pause };
    return planSchedule(hall, 1000).devices[0]?.requests.length === 1;
  };
  // g registers take 2 g characters; another request 13, two silences, and 20 ms until it is answered:
  // g is at most 6.5 + (2 t3.5 + 20 ms) / (2 c), 18.7 at 9600 baud and 11 bits, 30.1 with a pause of 30 ms
  // in place of one silence, 129 at 115,200 baud, where the longest request decides.
  assert.deepEqual([together(9600, 18), together(9600, 19)], [true, false]);
  assert.deepEqual([together(9600, 30, 30), together(9600, 31, 30)], [true, false]);
  assert.deepEqual([together(115_200, 123), together(115_200, 124)], [true, false]);
});

test("a wide gap of a line is left out, wherever the longest request would have cut", () => {
  // Two requests are needed for 26 registers with at most 20 of them each: the gap of five is the one to leave.
  const addresses = [...Array(8).keys(), ...Array.from({ length: 13 }, (_, n) => 13 + n)];
  const points = addresses.map((address, index) => point(holding(address), index));
  const merge = { maxGap: 2000, maxRegisters: 20, maxBits: 2000 };
  const hall = { ...gateway(device(points, merge)), connection: line(9600) };
  const requests = planSchedule(hall, 1000).devices[0]?.requests ?? [];
  assert.deepEqual(
    requests.map((request) => [request.address, request.count]),
    [
      [0, 8],
      [13, 13],
    ],
  );
});

test("no division of the points takes less time on a serial line", () => {
  const sketches = fc.array(
    anySketch(40).map((sketch): Sketch => ({ ...sketch, table: "input" })),
    { minLength: 1, maxLength: 6 },
  );
  const anyGap = fc.constantFrom(2, 12, 2000);
  const anyBaud = fc.constantFrom(1200, 9600, 115_200);
  fc.assert(
    fc.property(
      sketches,
      anyGap,
      fc.integer({ min: 5, max: 30 }),
      anyBaud,
      (few, maxGap, maxRegisters, baud) => {
        const points = few.map((sketch, index) => point(sketch, index));
        const limits = { maxGap, maxRegisters, maxBits: 1 };
        const time = (count: number) =>
          serialTime({ ...REGISTERS, count }, { baud, bits: 11, turnaround: 20 });
        const hall = { ...gateway(device(points, limits)), connection: line(baud) };
        const requests = planSchedule(hall, 1000).devices[0]?.requests ?? [];
        const planned = requests.reduce((sum, { count }) => sum + time(count), 0);
        const best = least(points, limits, (group) => time(spanOf(group)));
        assert.ok(
          Math.abs(planned - best) < 0.001,
          `${String(planned)} instead of ${String(best)}`,
        );
      },
    ),
    { numRuns: 300 },
  );
});

test("no division of the points needs fewer requests over a network", () => {
  const sketches = fc.array(
    anySketch(14).map(
      (sketch): Sketch => ({
        ...sketch,
        table: "input",
      }),
    ),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(sketches, anyLimits, (few, limits) => {
      const points = few.map((sketch, index) => point(sketch, index));
      const plan = planSchedule(gateway(device(points, limits)), 1000);
      assert.equal(
        plan.devices[0]?.requests.length,
        least(points, limits, () => 1),
      );
    }),
    { numRuns: 300 },
  );
});
