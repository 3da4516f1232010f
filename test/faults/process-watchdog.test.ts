/** Rows of the fault table: when the watchdog of the service manager is not fed, on the virtual clock. */
import assert from "node:assert/strict";
import { faultsOf } from "../engine/checker.ts";
import { outcomesOf } from "../engine/reading.ts";
import { Rig } from "../engine/rig.ts";
import { faultRow } from "../support/fault-row.ts";

const GATEWAYS = ["a", "b", "c"].map((id) => ({ id, devices: { d: [1000] } }));

/** The longest time without a sign of life while so many ms pass, in whole seconds. */
async function longestSilence(rig: Rig, ms: number): Promise<number> {
  let longest = 0;
  let silent = 0;
  for (let passed = 0; passed < ms; passed += 1000) {
    const before = rig.signs;
    await rig.clock.advance(1000);
    silent = rig.signs > before ? 0 : silent + 1;
    longest = Math.max(longest, silent);
  }
  return longest;
}

faultRow(
  {
    id: "K13b",
    fault: "a store call hangs, or the event loop stands still: the watchdog",
    done: "on the virtual clock with three gateways of 1 s: a write is not answered for 15 s, another for 90 s; one fails; the loop stands still for 20 and for 90 s",
    must: "the watchdog is fed until a call has been unanswered for 20 s, not from then on, and again once it is answered; a failure is an answer; it is not fed while the loop stands still, and again with the first pass; every slot is accounted for",
  },
  async () => {
    const rig = new Rig({ gateways: GATEWAYS });
    await rig.start();
    await rig.clock.advance(10_000);
    const silences: number[] = [];
    for (const length of [15_000, 90_000]) {
      rig.store.hold();
      silences.push(await longestSilence(rig, length));
      rig.store.release();
      assert.ok((await longestSilence(rig, 10_000)) <= 1, "fed again");
    }
    rig.store.failNext(3);
    silences.push(await longestSilence(rig, 10_000));
    for (const length of [20_000, 90_000]) {
      const before = rig.signs;
      await rig.clock.stall(length);
      assert.equal(rig.signs, before + 1, "one pass when it goes on, none before");
      assert.ok((await longestSilence(rig, 10_000)) <= 1, "fed again");
    }
    const [short = 0, long = 0, failing = 0] = silences;
    assert.deepEqual([short <= 1, long >= 69 && long <= 71, failing <= 1], [true, true, true]);
    const slots = Object.values(outcomesOf(rig, "a@1000"));
    const counts = (reason: string) => slots.filter((outcome) => outcome === reason).length;
    await rig.stop();
    assert.deepEqual(faultsOf(rig), []);
    return `call of 15 s: fed each second; of 90 s: not fed for ${String(long)} s; a failing one: fed; of ${String(slots.length)} slots of a gateway ${String(counts("good"))} good, ${String(counts("store"))} missed: store, ${String(counts("late"))} missed: late`;
  },
);
