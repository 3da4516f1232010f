/** The clocks of a real process: its wall clock is set, it is stopped, the machine boots or was asleep. */
import assert from "node:assert/strict";
import { setTimeout as pass } from "node:timers/promises";
import { faultRow } from "../support/fault-row.ts";
import { inOtherBoot, withUptimeAhead } from "../support/other-time.ts";
import { ClockPlant, INTERVAL, spanOf, type Reading } from "./clock-plant.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const IN_1970 = 3 * HOUR;
const IN_2038 = Date.UTC(2038, 0, 20);
/** Slots of a day and an hour. */
const PER_HOUR = HOUR / INTERVAL;

function marksOf(readings: readonly Reading[]): string {
  return [...new Set(readings.map(({ clock = "sure" }) => clock))].join();
}

faultRow(
  {
    id: "C1",
    fault: "the wall clock is set while the node runs",
    done: "libfaketime sets it an hour ahead and back, a day ahead and back, to 1970, to 2038 and back to the present",
    must: "no slot is polled twice or lost, one event for each step, the slots follow the clock, unsure while behind the ledger",
  },
  async (t) => {
    const plant = await ClockPlant.create(t);
    assert.equal(marksOf(await plant.live(3)), "sure");
    const present = Date.now();
    const sets = [
      ...[HOUR, 0, DAY, 0].map((offset) => present + offset),
      ...[IN_1970, IN_2038, present],
    ];
    const marks: string[] = [];
    for (const time of sets) {
      const from = plant.subscriber.log.length;
      const before = plant.clock.now();
      plant.clock.setTo(time + Date.now() - present);
      const { data } = await plant.step(from);
      assert.ok(Math.abs(data.size - (plant.clock.now() - before)) < 60_000, String(data.size));
      const seq = data.schedules[0]?.seq;
      assert.ok(seq !== undefined);
      const followed = await plant.read(2, from, seq);
      marks.push(marksOf(followed));
      for (const { slot } of followed) {
        assert.ok(Math.abs(slot - plant.clock.now()) < 60_000, "the slots lie on the clock as set");
      }
    }
    assert.deepEqual(marks, ["sure", "unsure", "sure", "unsure", "unsure", "sure", "unsure"]);
    const { row, epochs, steps, requests, counts } = await plant.verdict();
    assert.equal(epochs.length, 1);
    assert.equal(steps.length, sets.length);
    // By the time that passed, less an interval that became longer at each step.
    const slots = spanOf(requests) / INTERVAL;
    assert.ok(
      row.due <= slots + 40 && row.due >= slots - sets.length - 2,
      `${String(slots)} slots`,
    );
    return `${String(steps.length)} steps, as many events, 1 epoch; ${counts}`;
  },
);

faultRow(
  {
    id: "C2b",
    fault: "the wall clock is set while the process is down",
    done: "four times SIGKILL; then a day ahead and an hour back in one boot, and an hour ahead and 1970 after boots (a mount namespace with another boot id)",
    must: "in one boot the seq goes on and an event tells the step; after a boot the time away is missed, or a new epoch begins when the clock is behind; unsure while behind the ledger or the release",
  },
  async (t) => {
    const plant = await ClockPlant.create(t);
    await plant.live(3);
    const boot = (n: number): readonly string[] =>
      n === 0
        ? []
        : inOtherBoot(plant.directory, `0000000${String(n)}-0000-0000-0000-000000000000`);
    const again = async (offset: number, n: number): Promise<Reading[]> => {
      await plant.node.kill();
      plant.clock.set(offset);
      return plant.live(3, boot(n));
    };
    const ahead = await again(DAY, 0);
    const back = await again(DAY - HOUR, 0);
    const booted = await again(DAY, 1);
    const past = await again(Math.round((IN_1970 - Date.now()) / 1000) * 1000, 2);
    const marks = [ahead, back, booted, past].map(marksOf);
    assert.deepEqual(marks, ["sure", "unsure", "sure", "unsure"]);
    assert.equal(past[0]?.seq, 1);
    const { row, epochs, steps, gaps, counts } = await plant.verdict();
    assert.equal(epochs.length, 2);
    assert.deepEqual(
      steps.map((size) => Math.round(size / 10_000) * 10_000),
      [DAY, -HOUR],
    );
    const before = back.at(-1)?.seq ?? 0;
    const away = gaps.find(({ from, to }) => to - from >= PER_HOUR - 2);
    assert.equal(away?.reason, "down");
    assert.ok(away.from > before && away.to < PER_HOUR + before + 1000, "an hour, not a day");
    assert.ok(row.unknown <= 4, "one slot a kill");
    return `2 steps told, ${String(away.to - away.from + 1)} slots of the hour after a boot in one gap, 2 epochs; ${counts}`;
  },
);

faultRow(
  {
    id: "C3b",
    fault: "the process stands still",
    done: "SIGSTOP for 3 s at 250 ms, then SIGCONT",
    must: "the slots of that time are missed as late in one run, none is caught up, the seq goes on",
  },
  async (t) => {
    const plant = await ClockPlant.create(t);
    await plant.live(3);
    plant.node.signal("SIGSTOP");
    await pass(3000);
    plant.node.signal("SIGCONT");
    await plant.read(4);
    const { epochs, steps, gaps, requests, counts } = await plant.verdict();
    assert.deepEqual([epochs.length, steps.length], [1, 0]);
    const still = gaps.find(({ from, to }) => to - from >= 3000 / INTERVAL - 3);
    assert.equal(still?.reason, "late");
    const apart = requests.slice(1).map((_, i) => spanOf(requests.slice(i, i + 2)));
    assert.ok(Math.max(...apart) >= 3000);
    assert.ok(Math.min(...apart) >= INTERVAL / 2 - 40, "no slot is caught up");
    return `${String(still.to - still.from + 1)} slots missed as late; ${counts}`;
  },
);

faultRow(
  {
    id: "C4",
    fault: "the machine slept for two hours while the process was down",
    done: "SIGKILL, then a time namespace whose uptime is 7200 s ahead, the wall clock likewise",
    must: "the slots of two hours are missed as down in one run, none is polled twice, epoch and seq go on without a step",
  },
  async (t) => {
    const plant = await ClockPlant.create(t);
    await plant.live(3);
    await plant.node.kill();
    plant.clock.set(2 * HOUR);
    assert.equal(marksOf(await plant.live(3, withUptimeAhead(7200))), "sure");
    const { row, epochs, steps, gaps, counts } = await plant.verdict();
    assert.deepEqual([epochs.length, steps.length], [1, 0]);
    const away = gaps.find(({ from, to }) => to - from >= 2 * PER_HOUR - 2);
    assert.equal(away?.reason, "down");
    assert.ok(away.to - away.from < 2 * PER_HOUR + 1000);
    assert.ok(row.unknown <= 1);
    return `one gap of ${String(away.to - away.from + 1)} slots; ${counts}`;
  },
);

faultRow(
  {
    id: "C5",
    fault: "a board without a battery for its clock",
    done: "SIGKILL, the next boot begins in 1970, and after some slots the clock is set to the present",
    must: "polls all the same, one new epoch, readings are unsure until the clock is set and sure after it, one event for the step",
  },
  async (t) => {
    const plant = await ClockPlant.create(t);
    await plant.live(3);
    await plant.node.kill();
    plant.clock.setTo(40_000);
    const boot = inOtherBoot(plant.directory, "00000001-0000-0000-0000-000000000000");
    assert.equal(marksOf(await plant.live(5, boot)), "unsure");
    const from = plant.subscriber.log.length;
    plant.clock.set(0);
    const { data } = await plant.step(from);
    assert.ok(data.size > 50 * 365 * DAY);
    const seq = data.schedules[0]?.seq;
    assert.ok(seq !== undefined);
    assert.equal(marksOf(await plant.read(3, from, seq)), "sure");
    const { epochs, steps, counts } = await plant.verdict();
    assert.deepEqual([epochs.length, steps.length], [2, 1]);
    return `1 new epoch, 1 step of ${String(Math.round(data.size / DAY))} days; ${counts}`;
  },
);
