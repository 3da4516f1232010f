import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Gateway, Point } from "../../src/core/model.ts";
import { planSchedule } from "../../src/core/plan.ts";

/** How many requests the plan has for these registers. */
function requestsFor(addresses: readonly number[], maxGap: number): number {
  const points = addresses.map((address): Point => {
    const id = `p${String(address)}`;
    return { id, table: "holding", address, type: "uint16", order: "ABCD", interval: 1000 };
  });
  const merge = { maxGap, maxRegisters: 125, maxBits: 2000 };
  const gateway: Gateway = {
    id: "hall",
    connection: { kind: "tcp", url: "tcp://box:502", host: "box", port: 502 },
    timeout: { default: 1000 },
    retries: 1,
    failureThreshold: 10,
    probe: "never",
    devices: [{ id: "plc", unitId: 1, retain: false, merge, points }],
  };
  return planSchedule(gateway, 1000).devices[0]?.requests.length ?? 0;
}

/** The fewest by dynamic programming: of all ways to end a request before each register. */
function fewest(sorted: readonly number[], maxGap: number): number {
  const best = [0];
  sorted.forEach((last, end) => {
    let least = Infinity;
    for (let first = end; first >= 0; first--) {
      const from = sorted[first] ?? 0;
      const gap = first < end ? (sorted[first + 1] ?? 0) - from - 1 : 0;
      if (gap > maxGap || last - from + 1 > 125) break;
      least = Math.min(least, (best[first] ?? Infinity) + 1);
    }
    best.push(least);
  });
  return best.at(-1) ?? 0;
}

const scattered = fc.uniqueArray(fc.nat(1999), { minLength: 100, maxLength: 100 });

test("100 points scattered over 2000 registers take the fewest requests, whatever the gap", () => {
  fc.assert(
    fc.property(scattered, fc.constantFrom(0, 8, 20, 60, 125, 2000), (addresses, maxGap) => {
      const sorted = [...addresses].sort((a, b) => a - b);
      assert.equal(requestsFor(addresses, maxGap), fewest(sorted, maxGap));
    }),
    { numRuns: 200 },
  );
});

test("100 points at even distances over 2000 registers take 100 requests, or 15 with a wide gap", () => {
  // 19 registers lie between two of them; seven of them span 121 registers, eight 141.
  const addresses = Array.from({ length: 100 }, (_, i) => i * 20);
  assert.deepEqual(
    [8, 18, 19, 125].map((maxGap) => requestsFor(addresses, maxGap)),
    [100, 100, 15, 15],
  );
});
