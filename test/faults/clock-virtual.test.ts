/** The clocks on the virtual clock: what no test can do to the machine it runs on, or not for so long. */
import assert from "node:assert/strict";
import { faultsOf } from "../engine/checker.ts";
import { claimOf, eventsOf, outcomesOf, timesOf, toldOn } from "../engine/reading.ts";
import { Rig } from "../engine/rig.ts";
import { faultRow } from "../support/fault-row.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const INTERVAL = 10_000;
const GATEWAYS = ["a", "b", "c"].map((id) => ({ id, devices: { d: [INTERVAL] } }));
const FIRST = "a@10000";

async function started(claimAhead = 0): Promise<Rig> {
  const rig = new Rig({ gateways: GATEWAYS, claimAhead });
  await rig.start();
  await rig.clock.advance(65_000);
  return rig;
}

/** How many slots of the first gateway have each outcome. */
function tallyOf(rig: Rig): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const outcome of Object.values(outcomesOf(rig, FIRST))) {
    tally[outcome] = (tally[outcome] ?? 0) + 1;
  }
  return tally;
}

async function ended(rig: Rig): Promise<void> {
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
}

faultRow(
  {
    id: "C2a",
    fault: "the wall clock is set while the process is down, every way",
    done: "on the virtual clock a crash, a minute away, and a step of an hour or a day either way, to 1970 or to 2038, each in the same boot and after a boot",
    must: "same boot: same epoch, the slots of the minute missed, the step told; after a boot: the time away by the wall clock, or a new epoch a full interval away when that lies behind",
  },
  async () => {
    const sizes = { "+1 h": HOUR, "-1 h": -HOUR, "+1 d": DAY, "-1 d": -DAY };
    const seen: string[] = [];
    for (const [name, size] of Object.entries({ ...sizes, ...years() })) {
      for (const boots of [false, true]) {
        const rig = await started();
        const { epoch } = claimOf(rig, FIRST);
        rig.crash({ powerCut: boots });
        await rig.clock.advance(60_000);
        rig.clock.stepWall(size);
        if (boots) rig.reboot();
        await rig.start();
        const at = rig.clock.elapsed();
        await rig.clock.advance(65_000);
        const isNew = claimOf(rig, FIRST).epoch !== epoch;
        assert.equal(isNew, boots && size < 0, name);
        assert.equal(eventsOf(rig).includes("clock-step"), !boots, name);
        const first = rig.seen.find(({ life, gateway }) => life === 2 && gateway === "a");
        assert.ok(first !== undefined && first.time - at <= 2 * INTERVAL, name);
        if (isNew) assert.ok(first.time - at >= INTERVAL, name);
        const [gap] = toldOn(rig, "gaps/a").filter(({ reason }) => reason === "down");
        const missed = gap === undefined ? 0 : (gap.to ?? 0) - (gap.from ?? 0) + 1;
        const away = (boots ? 60_000 + size : 60_000) / INTERVAL;
        assert.ok(
          isNew ? missed === 0 : Math.abs(missed - away) <= 2,
          `${name}: ${String(missed)}`,
        );
        const how = isNew ? "new epoch" : `${String(missed)} missed`;
        seen.push(`${name}${boots ? " and boot" : ""}: ${how}`);
        await rig.stop();
        if (Math.abs(size) <= DAY) assert.deepEqual(faultsOf(rig), []);
      }
    }
    return seen.join(", ");
  },
);

/** From the present of the virtual clock to 1970 and to 2038, ms. */
function years(): Record<string, number> {
  const present = new Rig({ gateways: GATEWAYS }).clock.wall();
  return { "to 1970": HOUR - present, "to 2038": Date.UTC(2038, 0, 20) - present };
}

faultRow(
  {
    id: "C3a",
    fault: "the machine sleeps",
    done: "on the virtual clock time since the boot and the wall clock go on for an hour while the process stands still, with slots claimed half a minute ahead",
    must: "the slots of that hour are missed as suspended in one run, those claimed before too; the grid goes on, no step of the clock is told",
  },
  async () => {
    const rig = await started(3 * INTERVAL);
    rig.clock.suspend(HOUR);
    await rig.clock.advance(65_000);
    const tally = tallyOf(rig);
    assert.ok(Math.abs((tally["suspended"] ?? 0) - HOUR / INTERVAL) <= 1);
    assert.deepEqual(Object.keys(tally).sort(), ["good", "suspended"]);
    const gaps = toldOn(rig, "gaps/a");
    assert.deepEqual([gaps.length, gaps[0]?.reason], [1, "suspended"]);
    assert.ok(eventsOf(rig).includes("suspended") && !eventsOf(rig).includes("clock-step"));
    for (const { slot = 0 } of toldOn(rig, "readings/a/d")) {
      assert.equal(slot % INTERVAL, (toldOn(rig, "readings/a/d")[0]?.slot ?? 0) % INTERVAL);
    }
    await ended(rig);
    return `${String(tally["suspended"])} slots suspended in 1 gap, ${String(tally["good"])} good, 1 event, no step`;
  },
);

faultRow(
  {
    id: "C6",
    fault: "the wall clock wanders",
    done: "on the virtual clock it runs 200 ppm fast for three hours, then 200 ppm slow for three; then it is set back by 1.5 s, and ahead by as much",
    must: "slots follow it by less than a thousandth of the interval each, none is missed, and no step is told",
  },
  async () => {
    const rig = new Rig({ gateways: GATEWAYS.slice(0, 1) });
    await rig.start();
    let apart = 0;
    const wanderings = [
      ...[200, -200].map((rate) => ({ set: 0, rate, slots: (3 * HOUR) / INTERVAL })),
      ...[-1500, 1500].map((set) => ({ set, rate: 0, slots: 200 })),
    ];
    for (const { set, rate, slots } of wanderings) {
      rig.clock.stepWall(set);
      for (let n = 0; n < slots; n++) {
        await rig.clock.advance(INTERVAL);
        rig.clock.stepWall((INTERVAL * rate) / 1e6);
      }
      const last = toldOn(rig, "readings/a/d").at(-1);
      apart = Math.max(apart, Math.abs((last?.ts ?? 0) - (last?.slot ?? 0)));
    }
    assert.ok(apart <= 5, `${String(apart)} ms between slot and wall clock`);
    const times = timesOf(rig, "a");
    const lengths = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
    assert.ok(least >= INTERVAL * 0.999 - 1 && most <= INTERVAL * 1.001 + 1);
    assert.deepEqual(tallyOf(rig), { good: times.length });
    assert.ok(!eventsOf(rig).includes("clock-step"));
    await ended(rig);
    return `2160 ms of drift and 1500 ms at once, each way; slot and wall clock at most ${String(apart)} ms apart, intervals ${least.toFixed(0)} to ${most.toFixed(0)} ms, ${String(times.length)} slots good`;
  },
);
