import assert from "node:assert/strict";
import { test } from "node:test";
import { shippedProfiles } from "../../src/config/shipped.ts";
import type { Point } from "../../src/core/model.ts";
import { fitOf, trialOf, type Trial } from "../../src/core/profile-fit.ts";
import { isOneDevice, type FoundUnit } from "../../src/core/scan.ts";

const common = {
  table: "input",
  order: "ABCD",
  type: "uint16",
  scale: 0.1,
  interval: 1000,
} as const;
const METER: Point[] = [
  { ...common, id: "l2", address: 1, unit: "V" },
  { ...common, id: "l1", address: 0, unit: "V" },
  { ...common, id: "power", address: 5, unit: "W" },
  { ...common, id: "frequency", address: 9, unit: "Hz" },
];

function trial(points: readonly Point[] = METER): Trial {
  const made = trialOf("meter", points);
  assert.ok(made);
  return made;
}

/** Whether it fits when the registers hold these: voltages, then the frequency. */
function fits(voltages: number[] | undefined, frequency: number[] | undefined) {
  return fitOf(trial(), ({ address }) => (address === 0 ? voltages : frequency));
}

test("voltages and frequency are read, neighbours together and nothing between", () => {
  assert.deepEqual(trial().requests, [
    { table: "input", address: 0, count: 2 },
    { table: "input", address: 9, count: 1 },
  ]);
  assert.equal(trialOf("meter", METER.slice(0, 3)), undefined, "nothing could be said of it");
});

test("a profile fits when all that is read is what a mains can be", () => {
  assert.deepEqual(fits([2301, 0], [500]), { l2: 0, l1: 230.1, frequency: 50 });
  assert.equal(fits([2301, 2299], undefined), undefined, "a register that is not there");
  assert.equal(fits([2301, 2299], [0]), undefined, "no frequency");
  assert.equal(fits([2301, 2299], [5000]), undefined, "another scale");
  assert.equal(fits([0, 0], [500]), undefined, "no voltage at all");
  assert.equal(fits([2301, 9], [500]), undefined, "a voltage that no phase has");
});

test("every profile that comes with edgepoll can be tried, in a few requests", () => {
  const all = shippedProfiles();
  assert.ok(all.length >= 8);
  for (const { name, points } of all) {
    const made = trialOf(name, points);
    assert.ok(made !== undefined && made.requests.length <= 4, name);
  }
});

test("one device that does not look at the unit id is found out by many answers that are alike", () => {
  const unit = (unitId: number): FoundUnit => ({
    ...{ unitId, connection: "tcp://a:502", answer: { value: 7 }, rtt: unitId },
    ...{ identification: null, sunspec: null, profiles: [] },
  });
  const units = Array.from({ length: 8 }, (_, n) => unit(n + 1));
  assert.equal(isOneDevice(units, 8), true);
  assert.equal(isOneDevice(units, 9), false, "one is silent");
  assert.equal(isOneDevice(units.slice(1), 7), false, "too few to say so");
  const other = { ...unit(9), answer: { exception: 2 } };
  assert.equal(isOneDevice([...units, other], 9), false);
});
