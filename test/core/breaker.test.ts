import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  afterFailedPoll,
  afterFailedProbe,
  askedToProbe,
  CLOSED,
  isOut,
  isProbeDue,
  probed,
  resumed,
  SHORTEST_ROW,
  waitsForConnection,
  type Breaker,
  type BreakerRules,
} from "../../src/core/breaker.ts";

const RULES: BreakerRules = { failureThreshold: 3, probe: { first: 30_000, max: 300_000 } };
const NEVER: BreakerRules = { failureThreshold: 3, probe: "never" };
const exactly = () => 0;

function failed(times: readonly number[], rules = RULES, from: Breaker = CLOSED): Breaker {
  return times.reduce(
    (breaker, at) => afterFailedPoll(breaker, rules, { at, reason: "timeout" }, exactly),
    from,
  );
}

function failedProbe(breaker: Breaker, at: number, rules = RULES): Breaker {
  return afterFailedProbe(probed(breaker), rules, { at, reason: "timeout" }, exactly);
}

const OPEN = failed([0, 5000, 10_000]);

test("opens after the threshold of failures in a row that lasted 10 s, not before either", () => {
  assert.equal(failed([0, 20_000]).state, "closed", "two of three");
  assert.equal(failed([0, 10, 20]).state, "closed", "three within 10 s");
  assert.equal(failed([0, 10, 20, 9999]).state, "closed");
  assert.equal(failed([0, 10, 20, 10_000]).state, "open");
  assert.deepEqual(OPEN, {
    state: "open",
    failures: 3,
    failingSince: 0,
    openedBy: "timeout",
    nextProbe: 40_000,
    distance: 30_000,
  });
});

test("failed probes widen their distance to the longest, and stay there", () => {
  const distances: number[] = [];
  let breaker = OPEN;
  for (let i = 0; i < 6; i++) {
    const at = breaker.nextProbe ?? NaN;
    breaker = failedProbe(breaker, at);
    distances.push((breaker.nextProbe ?? NaN) - at);
  }
  assert.deepEqual(distances, [60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  assert.equal(breaker.failures, 9);
});

test("with probe: never nothing but a person makes a probe due", () => {
  const open = failed([0, 5000, 10_000], NEVER);
  assert.equal(open.nextProbe, null);
  assert.equal(isProbeDue(open, 1e12), false);
  const asked = askedToProbe(open, 20_000);
  assert.deepEqual([asked.state, isProbeDue(asked, 20_000)], ["probing", true]);
  const again = failedProbe(asked, 21_000, NEVER);
  assert.deepEqual([again.state, again.nextProbe], ["open", null]);
});

test("a poll of another schedule that fails while the device is out only lengthens the row", () => {
  const longer = failed([11_000], RULES, OPEN);
  assert.deepEqual(longer, { ...OPEN, failures: 4 });
  const under = failed([41_000], RULES, probed(OPEN));
  assert.deepEqual([under.state, under.nextProbe], ["probing", null]);
});

test("a probe asked for while one is under way stays due when that one fails", () => {
  const asked = askedToProbe(probed(OPEN), 40_500);
  const after = afterFailedProbe(asked, RULES, { at: 41_000, reason: "timeout" }, exactly);
  assert.deepEqual([after.state, isProbeDue(after, 41_000)], ["probing", true]);
});

test("asking is nothing to a closed breaker, and makes nobody wait longer", () => {
  assert.equal(askedToProbe(CLOSED, 5), CLOSED);
  assert.equal(askedToProbe(OPEN, 90_000).nextProbe, 40_000);
});

test("only devices that were opened by a failed connect wait for the connection", () => {
  const cut = { ...OPEN, openedBy: "connect_failed" } as const;
  assert.equal(waitsForConnection(cut, RULES), true);
  assert.equal(waitsForConnection(OPEN, RULES), false);
  assert.equal(waitsForConnection(cut, NEVER), false);
  assert.equal(waitsForConnection(CLOSED, RULES), false);
});

test("resumes under the rules that hold now, and never farther off than its distance", () => {
  assert.equal(resumed(CLOSED, RULES, 5), CLOSED);
  assert.equal(resumed(OPEN, RULES, 20_000).nextProbe, 40_000);
  assert.equal(resumed({ ...OPEN, nextProbe: 1e12 }, RULES, 20_000).nextProbe, 50_000);
  assert.equal(resumed(OPEN, NEVER, 20_000).nextProbe, null);
  assert.equal(resumed({ ...OPEN, nextProbe: null }, RULES, 20_000).nextProbe, 50_000);
  assert.equal(resumed(probed(OPEN), RULES, 20_000).nextProbe, 20_000);
  const narrow: BreakerRules = { ...RULES, probe: { first: 1000, max: 2000 } };
  assert.equal(resumed(OPEN, narrow, 20_000).nextProbe, 22_000);
});

type Event = "fails" | "answers" | "ask" | "wait";

/** Any rules, and any life of a device: each event after a while, probes sent as soon as they are due. */
const life = fc.record({
  threshold: fc.integer({ min: 1, max: 20 }),
  probe: fc.oneof(
    fc.constant("never" as const),
    fc
      .tuple(fc.integer({ min: 1000, max: 60_000 }), fc.integer({ min: 0, max: 600_000 }))
      .map(([first, more]) => ({ first, max: first + more })),
  ),
  events: fc.array(
    fc.tuple(
      fc.constantFrom<Event>("fails", "fails", "fails", "answers", "ask", "wait"),
      fc.integer({ min: 1, max: 20_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    ),
    { maxLength: 200 },
  ),
});

test("whatever a device does: closed while it answers, open only after such a row, probes within their bounds", () => {
  fc.assert(
    fc.property(life, ({ threshold, probe, events }) => {
      const rules: BreakerRules = { failureThreshold: threshold, probe };
      let breaker = CLOSED;
      let now = 0;
      let row: number[] = [];
      for (const [event, after, random] of events) {
        now += after;
        const before = breaker;
        const due = isProbeDue(breaker, now);
        if (event === "ask") breaker = askedToProbe(breaker, now);
        // Left out: neither an answer nor a failure can come of it.
        const isAsked = !isOut(breaker) || due;
        if (event === "answers" && isAsked) {
          breaker = CLOSED;
          row = [];
        }
        if (event === "fails" && isAsked) {
          const failure = { at: now, reason: "timeout" } as const;
          breaker = isOut(breaker)
            ? afterFailedProbe(probed(breaker), rules, failure, () => random)
            : afterFailedPoll(breaker, rules, failure, () => random);
          row.push(now);
        }
        assert.equal(breaker.failures, row.length);
        if (!isOut(before) && isOut(breaker)) {
          assert.ok(row.length >= threshold && now - (row[0] ?? now) >= SHORTEST_ROW);
        }
        if (!isOut(breaker) && row.length >= threshold) {
          assert.ok(now - (row[0] ?? 0) < SHORTEST_ROW || event !== "fails");
        }
        if (probe === "never") assert.ok(breaker.nextProbe === null || breaker.state === "probing");
        else if (breaker.state === "open" && breaker !== before) {
          const distance = (breaker.nextProbe ?? NaN) - now;
          // Fractions of a ms are lost where large times are subtracted.
          assert.ok(distance > probe.first * 0.9 - 0.001 && distance <= probe.max + 0.001);
          assert.ok(breaker.distance >= before.distance, "never narrower");
        }
      }
    }),
  );
});
