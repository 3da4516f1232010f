/** Devices of profiles, as mbpoll sees them. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { loadProfile } from "../../src/config/profile-points.ts";
import type { Point } from "../../src/core/model.ts";
import { profileDevice, type ProfileDevice } from "../../src/simulator/profile-device.ts";
import { startSimulator } from "../../src/simulator/tcp-server.ts";
import { anyUnit } from "../../src/simulator/units.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { mbpollRead, overTcp, runMbpoll, type MbpollRead, type MbpollTarget } from "./mbpoll.ts";

const LIMIT = { timeout: 60_000 };
const HOUR = 3600;
const FOLDER = new URL("../../config/profiles/", import.meta.url);
const NAMES = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => name.slice(0, -".yaml".length));

function load(name: string) {
  const loaded = loadProfile(name);
  assert.ok("points" in loaded, name);
  return { ...loaded, device: profileDevice({ name, ...loaded }, name) };
}

async function serve(t: TestContext, device: ProfileDevice): Promise<MbpollTarget> {
  const units = anyUnit(device, () => HOUR);
  const options = { host: "127.0.0.1", port: 0, units, clock: createFakeClock() };
  const simulator = await startSimulator(options);
  t.after(() => simulator.close());
  return overTcp(simulator.port);
}

/** How mbpoll reads a type, and how its words become the raw value. */
function formOf({ type, order, table }: Point): Pick<MbpollRead, "form" | "bigEndian" | "count"> {
  if (table === "coil" || table === "discrete" || /^(bool|u?int16)$/.test(type)) return {};
  const bigEndian = order === "ABCD";
  if (type === "float32") return { form: "float", bigEndian };
  if (type === "int32") return { form: "int", bigEndian };
  assert.ok(type === "int64" || type === "uint32" || type === "uint64", type);
  return { form: "hex", count: type === "uint32" ? 2 : 4 };
}

/** Points that one request of mbpoll can read: neighbours of one type. */
function runsOf(points: readonly Point[]): Point[][] {
  const runs: Point[][] = [];
  for (const point of [...points].sort((a, b) => a.address - b.address)) {
    const run = runs.find(([first, ...others]) => {
      const last = others.at(-1) ?? first;
      const width = first?.type === "float32" || first?.type === "int32" ? 2 : 1;
      return (
        first?.table === point.table &&
        first.type === point.type &&
        formOf(first).form !== "hex" &&
        last?.address === point.address - width
      );
    });
    if (run !== undefined && run.length < 25) run.push(point);
    else runs.push([point]);
  }
  return runs;
}

async function readRun(target: MbpollTarget, run: readonly Point[]): Promise<[Point, number][]> {
  const [first] = run;
  assert.ok(first);
  const form = formOf(first);
  const { table, address } = first;
  const read = await mbpollRead(target, { table, address, count: run.length, ...form });
  if (form.form !== "hex") return run.map((point) => [point, Number(read.get(point.address))]);
  const words = [...read.values()].map((word) => word.replace("0x", "").padStart(4, "0"));
  return [[first, Number(BigInt.asIntN(64, BigInt(`0x${words.join("")}`)))]];
}

/** The power of ten that the device keeps for a point. */
async function powerOf(target: MbpollTarget, { table, scaleRegister }: Point): Promise<number> {
  if (scaleRegister === undefined) return 0;
  const read = await mbpollRead(target, { table, address: scaleRegister });
  return (Number(read.get(scaleRegister)) << 16) >> 16;
}

for (const name of NAMES) {
  test(`mbpoll reads of ${name} what the simulator shows`, LIMIT, async (t) => {
    const { points, device } = load(name);
    const target = await serve(t, device);
    const shown = device.valuesAt(HOUR);
    const numbers = points.filter(({ type }) => type !== "string" && type !== "raw");
    assert.ok(numbers.length > 0);
    for (const run of runsOf(numbers)) {
      for (const [point, read] of await readRun(target, run)) {
        const { scale = 1, offset = 0, bit } = point;
        const word = point.type === "int16" ? (read << 16) >> 16 : read;
        const raw = bit === undefined ? word : (word >> bit) & 1;
        const expected = Number(shown.get(point.id));
        const value = raw * scale * 10 ** (await powerOf(target, point)) + offset;
        // mbpoll writes six digits of a float.
        const isNear = Math.abs(value - expected) <= 1e-5 * Math.abs(expected);
        assert.ok(isNear, `${point.id}: ${String(value)}, ${String(expected)} shown`);
      }
    }
  });
}

test(
  "what a profile has no points for is refused, and more than its device takes",
  LIMIT,
  async (t) => {
    const target = await serve(t, load("eastron/sdm630").device);
    const read = (address: number, count: number) =>
      mbpollRead(target, { table: "input", address, count });
    assert.equal((await read(0, 50)).size, 50);
    await assert.rejects(read(0, 51), /Illegal data value/);
    await assert.rejects(read(36, 2), /Illegal data address/);
    await assert.rejects(read(34, 3), /Illegal data address/);
    const holding = ["-1", "-t", "4", "-r", "0", "-c", "1"];
    await assert.rejects(runMbpoll(target, holding), /Illegal data address/);
  },
);

test("the values of a meter fit each other, and its counters rise with its power", () => {
  const { device } = load("eastron/sdm630");
  const at = (seconds: number) => {
    const values = device.valuesAt(seconds);
    return (id: string) => Number(values.get(id));
  };
  const near = (a: number, b: number) => {
    assert.ok(Math.abs(a - b) <= 1e-3 * Math.abs(b), `${String(a)} and ${String(b)}`);
  };
  for (const seconds of [0, 7, 500, 100_000]) {
    const of = at(seconds);
    for (const phase of ["-l1", "-l2", "-l3"]) {
      near(of(`voltage${phase}`) * of(`current${phase}`), of(`apparent-power${phase}`));
      near(of(`apparent-power${phase}`) * of(`power-factor${phase}`), of(`power${phase}`));
      near(
        Math.hypot(of(`power${phase}`), of(`reactive-power${phase}`)),
        of(`apparent-power${phase}`),
      );
    }
    for (const id of ["current", "power", "apparent-power", "reactive-power", "energy-import"]) {
      near(of(`${id}-l1`) + of(`${id}-l2`) + of(`${id}-l3`), of(id));
    }
    near(of("energy-import") + of("energy-export"), of("energy-total"));
    near(of("phase-angle"), (Math.acos(of("power-factor")) * 180) / Math.PI);
  }
  let counted = 0;
  for (let second = 2; second < HOUR; second += 4) {
    counted += (4 * at(second)("power")) / HOUR / 1000;
  }
  // A float32 of some thousand kWh has steps of a quarter Wh.
  near(at(HOUR)("energy-import") - at(0)("energy-import"), counted);
});

test("kilo and milli are what they say", () => {
  const place = { table: "input", type: "float64", order: "ABCD", interval: 1000 } as const;
  const points = [
    { ...place, id: "power", address: 0, unit: "W" },
    { ...place, id: "power-kilo", address: 4, unit: "kW" },
    { ...place, id: "power-milli", address: 8, unit: "mW" },
  ];
  const merge = { maxRegisters: 125, maxBits: 2000 };
  const values = profileDevice({ name: "prefixes", points, merge }, "a").valuesAt(10);
  const watts = Number(values.get("power"));
  assert.ok(Math.abs(Number(values.get("power-kilo")) * 1000 - watts) < 1e-6);
  assert.ok(Math.abs(Number(values.get("power-milli")) / 1000 - watts) < 1e-6);
});
