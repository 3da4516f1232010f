/** A rough day, at random: EDGEPOLL_SEED for the same one again. The soak has a week of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { validateStore } from "../../src/engine/validate.ts";
import { seededRandom } from "../e2e/site.ts";
import { SEED } from "../support/seed.ts";
import { faultsOf } from "./checker.ts";
import { Rig } from "./rig.ts";
import { passDays } from "./rough-days.ts";

const HOUR = 3_600_000;
const INTERVAL = 60_000;

test("P1 P2: a day of crashes, boots, suspends, steps and drift leaves every slot polled once at most and accounted for", async (t) => {
  const ids = Array.from({ length: 10 }, (_, n) => `g${String(n)}`);
  const gateways = ids.map((id) => ({ id, devices: { d: [INTERVAL] } }));
  const rig = new Rig({ gateways });
  await rig.start();
  const random = seededRandom(SEED);
  const mishaps = await passDays(rig, {
    length: 24 * HOUR,
    every: HOUR / 2,
    drift: 50,
    ...{ interval: INTERVAL, random },
  });
  t.diagnostic(`seed ${String(SEED)}: ${JSON.stringify(mishaps)}`);
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
  const world = { store: rig.store, pause: () => Promise.resolve() };
  const { validation } = await validateStore(world, { since: 0 });
  assert.deepEqual(validation.findings, []);
  const sum = (of: (row: (typeof validation.schedules)[number]) => number) =>
    validation.schedules.reduce((total, row) => total + of(row), 0);
  const good = sum((row) => row.good);
  assert.ok(rig.seen.length >= good && rig.seen.length <= good + sum((row) => row.unknown));
  const passed = rig.clock.elapsed() - (rig.seen[0]?.time ?? 0);
  const { step, boot, behind, unknowable, unrecorded } = mishaps;
  for (const { due } of validation.schedules) {
    // A slot is never early by more than a thousandth of its interval. A step lengthens one interval, an epoch
    // begins within two of them, and what nobody can know is not accounted.
    const most = ((passed + unrecorded) * 1.001) / INTERVAL + 2;
    assert.ok(due <= most, `${String(due)} slots are too many`);
    const least =
      (passed - unknowable - unrecorded) / 1.001 / INTERVAL - step - boot - 3 * behind - 2;
    assert.ok(due >= least, `${String(due)} slots, and ${String(least)} at least were due`);
  }
});
