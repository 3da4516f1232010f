/** The killer and the checker of histories must catch designs that are wrong; EDGEPOLL_SEED: the same moments again. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { checkHistory } from "../support/history.ts";
import { killOften, killPlan, type KillPlan } from "../support/killer.ts";
import { buildShim } from "../support/shim.ts";

const LIMIT = { timeout: 120_000 };

/** Slots with so long a grace that a restart falls into it on any machine, and polls that take a while. */
const LONG_GRACE = {
  ...killPlan(),
  ...{ kills: 12, shards: 2, kinds: [{ interval: 6000, delay: 300 }], polls: 0 },
};

/** Answers come after the time-out. */
const LATE = {
  ...killPlan(),
  ...{ kills: 2, shards: 1, kinds: [{ interval: 400, delay: 110 }], timeout: 80, life: 4000 },
};
/** Rounds after which a design counts as not caught. */
const ROUNDS = 4;

/** The violations of an invariant that a plan brings to light, in several rounds if need be. */
async function found(t: TestContext, invariant: string, plan: KillPlan): Promise<string[]> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const killed = await killOften(t, { ...plan, seed: plan.seed + round });
    const all = killed.flatMap(({ history }) => checkHistory(history).violations);
    const own = all.filter((violation) => violation.startsWith(invariant));
    const { length } = own;
    t.diagnostic(
      `seed ${String(plan.seed + round)}: ${String(length)} violations, ${own[0] ?? ""}`,
    );
    if (length > 0 || plan.design === undefined) return own;
  }
  return [];
}

test("a claim that is written after the poll is caught by kills", LIMIT, async (t) => {
  const twice = await found(t, "I1", { ...LONG_GRACE, design: "recordAfter" });
  assert.ok(twice.length > 0);
});

test("a claim that is not synced is caught by power cuts", LIMIT, async (t) => {
  const shim = buildShim(t);
  const twice = await found(t, "I1", { ...LONG_GRACE, shim, design: "unsyncedClaim" });
  assert.ok(twice.length > 0);
});

test("a buffer that is not cleared is caught by late answers", LIMIT, async (t) => {
  const wrong = await found(t, "I4", { ...LATE, design: "sharedBuffer" });
  assert.ok(wrong.length > 0);
});

test("the design that stands is not caught by any of them", LIMIT, async (t) => {
  const shim = buildShim(t);
  assert.deepEqual(await found(t, "I", { ...LONG_GRACE, shim }), []);
  assert.deepEqual(await found(t, "I", LATE), []);
});
