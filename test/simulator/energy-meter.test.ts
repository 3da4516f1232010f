import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { energyMeter } from "../../src/simulator/energy-meter.ts";
import type { Entries } from "../../src/simulator/device.ts";
import { SEED } from "../support/seed.ts";

function float(entries: Entries, address: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(entries.input.get(address) ?? 0, 0);
  bytes.writeUInt16BE(entries.input.get(address + 1) ?? 0, 2);
  return bytes.readFloatBE();
}

const seeds = fc.string({ maxLength: 20 });
const seconds = fc.double({ min: 0, max: 5_000_000, noNaN: true });

test("shows believable values at any time", () => {
  fc.assert(
    fc.property(seeds, seconds, (seed, at) => {
      const entries = energyMeter(seed).entriesAt(at);
      const [voltage, current, power] = [float(entries, 0), float(entries, 6), float(entries, 12)];
      assert.ok(voltage > 225 && voltage < 235);
      assert.ok(power > 500 && power < 2500);
      assert.ok(Math.abs(voltage * current * 0.95 - power) < 0.01);
      assert.ok(Math.abs(float(entries, 70) - 50) < 0.1);
      assert.equal(entries.discrete.get(0), power > 2200 ? 1 : 0);
      assert.equal(entries.coil.get(0), 1);
      assert.deepEqual([...entries.holding.values()], [1, 60]);
      for (const word of entries.input.values()) {
        assert.ok(Number.isInteger(word) && word >= 0 && word <= 0xffff);
      }
    }),
    { seed: SEED },
  );
});

test("raises and clears the alarm in the course of an hour", () => {
  const meter = energyMeter("a");
  const seen = new Set<number | undefined>();
  for (let at = 0; at < 3600; at += 10) seen.add(meter.entriesAt(at).discrete.get(0));
  assert.deepEqual([...seen].sort(), [0, 1]);
});

test("counts the energy that the power adds up to", () => {
  fc.assert(
    fc.property(seeds, fc.double({ min: 0, max: 100_000, noNaN: true }), (seed, from) => {
      const meter = energyMeter(seed);
      let joules = 0;
      for (let at = 0.25; at < 600; at += 0.5)
        joules += float(meter.entriesAt(from + at), 12) * 0.5;
      const counted = float(meter.entriesAt(from + 600), 72) - float(meter.entriesAt(from), 72);
      // A float32 around 1000 is good to 0.0001.
      assert.ok(Math.abs(counted - joules / 3_600_000) < 0.001, `${String(counted)} kWh`);
    }),
    { seed: SEED, numRuns: 20 },
  );
});

test("the energy rises with every second", () => {
  const meter = energyMeter("a");
  for (let at = 0; at < 300; at++)
    assert.ok(float(meter.entriesAt(at + 1), 72) > float(meter.entriesAt(at), 72));
});

test("shows the same for the same seed and something else for another", () => {
  assert.deepEqual(energyMeter("a").entriesAt(1234), energyMeter("a").entriesAt(1234));
  assert.notDeepEqual(energyMeter("a").entriesAt(1234), energyMeter("b").entriesAt(1234));
});
