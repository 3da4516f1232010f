/** Finding the registers for which a device refuses requests, slot by slot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Gateway, Point, Refusal } from "../../src/core/model.ts";
import { planSchedule, type Plan } from "../../src/core/plan.ts";
import type { Answer } from "../../src/core/ports.ts";
import { withRefusals } from "../../src/core/refusals.ts";
import { Bisection, type Found } from "../../src/engine/bisection.ts";
import type { DeviceResult } from "../../src/engine/poll-task.ts";

const WHEN = { sentAt: 1, endedAt: 2 };

function gatewayOf(addresses: readonly number[]): Gateway {
  const points = addresses.map((address): Point => {
    const id = `p${String(address)}`;
    return { id, table: "holding", address, type: "uint16", order: "ABCD", interval: 1000 };
  });
  const merge = { maxGap: 8, maxRegisters: 40, maxBits: 2000 };
  return {
    id: "hall",
    connection: { kind: "tcp", url: "tcp://box:502", host: "box", port: 502 },
    timeout: { default: 1000 },
    ...{ retries: 1, failureThreshold: 10, probe: "never" },
    devices: [{ id: "plc", unitId: 1, retain: false, merge, points }],
  };
}

/** A device that refuses every request with a bad register in it, or with more than `most`. */
interface Odd {
  readonly bad: ReadonlySet<number>;
  readonly most?: number;
}

function pollOf(plan: Plan, { bad, most = 125 }: Odd): DeviceResult[] {
  return plan.devices.map(({ device, requests }) => {
    const results = requests.map((request) => {
      const { address, count } = request;
      const asked = Array.from({ length: count }, (_, n) => address + n);
      const refuses = count > most || asked.some((register) => bad.has(register));
      const refused: Answer = { ok: false, reason: "exception", exception: 2, detail: "", ...WHEN };
      const read: Answer = { ok: true, words: new Uint16Array(count), ...WHEN };
      return { request, last: refuses ? refused : read, earlier: [] };
    });
    return { device, role: "polled", results, settledAt: 2 };
  });
}

/** What was sent in each slot until nothing changed any more, and what was found. */
function search(gateway: Gateway, odd: Odd, slots = 400) {
  const found: Found[] = [];
  const sent: string[][] = [];
  let plan = planSchedule(gateway, 1000);
  let bisection = new Bisection();
  const base = plan.devices[0]?.requests.length ?? 0;
  for (let slot = 0; slot < slots; slot++) {
    const results = pollOf(plan, odd);
    const requests = plan.devices.flatMap((device) => device.requests);
    sent.push(requests.map(({ address, count }) => `${String(address)}+${String(count)}`));
    const next = bisection.polled(plan, results);
    const isAtRest = next.plan === plan && next.found === undefined;
    if (isAtRest) return { found, sent, base, results };
    plan = next.plan;
    if (next.found === undefined) continue;
    found.push(next.found);
    const refused = found.map(({ table, address, count, exception }): Refusal => {
      return { table, address, count, exception };
    });
    plan = planSchedule(
      withRefusals(gateway, () => refused),
      1000,
    );
    bisection = new Bisection();
  }
  throw new Error(`no end after ${String(slots)} slots`);
}

const stretches = (found: readonly Found[]) =>
  found.map(({ kind, address, count }) => `${kind} ${String(address)}+${String(count)}`);

test("a hole between points is found by halving, checked once more, and then read round", () => {
  const { found, sent } = search(gatewayOf([0, 1, 2, 3, 6, 7, 8, 9]), { bad: new Set([4]) });
  assert.deepEqual(stretches(found), ["gap 4+2"]);
  assert.deepEqual(sent, [["0+10"], ["0+4", "6+4"], ["0+10"], ["0+4", "6+4"]]);
});

test("a point that is refused itself stands alone, and its neighbours are read", () => {
  const { found, sent } = search(gatewayOf([0, 1, 2, 3]), { bad: new Set([2]) });
  assert.deepEqual(stretches(found), ["point 2+1"]);
  assert.deepEqual(sent.at(-1), ["0+2", "2+1", "3+1"]);
});

test("a device that takes shorter requests than configured is found out as well", () => {
  const { found, sent } = search(gatewayOf(Array.from({ length: 20 }, (_, n) => n)), {
    ...{ bad: new Set<number>(), most: 10 },
  });
  assert.deepEqual(stretches(found), ["gap 10+0"]);
  assert.deepEqual(sent.at(-1), ["0+10", "10+10"]);
});

test("a device that refuses everything is left as it is: no cut would bring a value", () => {
  const all = new Set(Array.from({ length: 50 }, (_, n) => n));
  const { found, sent } = search(gatewayOf([0, 1, 2, 3, 20]), { bad: all });
  assert.deepEqual(found, []);
  assert.deepEqual(sent.at(-1), ["0+4", "20+1"]);
});

test("what is refused for a while is not remembered", () => {
  const gateway = gatewayOf([0, 1, 5, 6]);
  const bisection = new Bisection();
  const sick = { bad: new Set([5]) };
  const well = { bad: new Set<number>() };
  const base = planSchedule(gateway, 1000);
  const cut = bisection.polled(base, pollOf(base, sick)).plan;
  const check = bisection.polled(cut, pollOf(cut, well)).plan;
  const { plan, found } = bisection.polled(check, pollOf(check, well));
  assert.equal(found, undefined);
  assert.equal(plan, base);
});

test("polls without an answer and other exceptions leave the search where it is", () => {
  const base = planSchedule(gatewayOf([0, 1, 5, 6]), 1000);
  const bisection = new Bisection();
  const cut = bisection.polled(base, pollOf(base, { bad: new Set([5]) })).plan;
  for (const exception of [4, 6, 11]) {
    const answers = pollOf(cut, { bad: new Set([5]) }).map((result) => ({
      ...result,
      results: result.results.map((each) => {
        const { last } = each;
        return typeof last === "string" || last.ok
          ? each
          : { ...each, last: { ...last, exception } };
      }),
    }));
    assert.deepEqual(bisection.polled(cut, answers), { plan: cut });
  }
  assert.deepEqual(bisection.polled(cut, []), { plan: cut });
});

test("P1: whatever is bad, all that can be read is read in the end, and no slot sends a register twice", () => {
  const addresses = fc.uniqueArray(fc.nat(79), { minLength: 1, maxLength: 20 });
  const badOnes = fc.uniqueArray(fc.nat(79), { maxLength: 12 });
  fc.assert(
    fc.property(addresses, badOnes, (places, bad) => {
      const odd = { bad: new Set(bad) };
      const { found, sent, base, results } = search(gatewayOf(places), odd);
      for (const requests of sent) {
        const registers = requests.flatMap((text) => {
          const [address = 0, count = 0] = text.split("+").map(Number);
          return Array.from({ length: count }, (_, n) => address + n);
        });
        assert.equal(new Set(registers).size, registers.length, requests.join(" "));
      }
      const read = results.flatMap((device) =>
        device.results.flatMap(({ request, last }) =>
          typeof last !== "string" && last.ok
            ? request.points.map(({ point }) => point.address)
            : [],
        ),
      );
      const good = places.filter((address) => !bad.includes(address));
      assert.deepEqual(new Set(read), new Set(good));
      assert.ok(found.length <= places.length + bad.length);
      // Halving leaves a part at each step, and learning adds two cuts at most.
      const most = Math.max(...sent.map((requests) => requests.length));
      assert.ok(most <= base + 2 * found.length + Math.ceil(Math.log2(places.length + 1)) + 1);
    }),
    { numRuns: 300 },
  );
});
