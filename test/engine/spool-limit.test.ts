/** A spool that reaches its limit: the oldest go, and what is gone is counted, named and published. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { replaceDropped } from "../../src/core/drop.ts";
import type { Spooled } from "../../src/core/records.ts";
import { numbersOf } from "./checker.ts";
import { toldOn, type Message } from "./reading.ts";
import { Rig } from "./rig.ts";

const LIMIT = 20_000;
const GATEWAY = { id: "a", devices: { d: [1000], e: [1000] }, phase: 0 };

async function started(): Promise<Rig> {
  const rig = new Rig({ gateways: [GATEWAY], spoolBytes: LIMIT });
  await rig.start();
  await rig.clock.advance(5000);
  rig.broker.away();
  return rig;
}

function sizeOnDisk(rig: Rig): number {
  return [...rig.disk("spool/").values()].reduce((sum, value) => sum + value.length, 0);
}

/** Each seq of a device, and whether it came as a reading or as dropped, in the order told. */
function told(rig: Rig, device: string): { seq: number; dropped: boolean }[] {
  const all = [...toldOn(rig, `readings/a/${device}`), ...toldOn(rig, "gaps/a")];
  const mine = all.filter((one) => one.device === device);
  const seqs = (one: Message): number[] => {
    const from = one.from ?? one.seq ?? 0;
    return Array.from({ length: (one.to ?? from) - from + 1 }, (_, i) => from + i);
  };
  return mine
    .flatMap((one) => seqs(one).map((seq) => ({ seq, dropped: one.outcome === "dropped" })))
    .sort((a, b) => a.seq - b.seq);
}

function assertAccounted(rig: Rig, device: string): number {
  const seen = told(rig, device);
  assert.deepEqual(
    seen.map(({ seq }) => seq),
    seen.map((_, i) => i + 1),
    "each seq is told once, as a reading or as dropped",
  );
  return seen.filter(({ dropped }) => dropped).length;
}

test("P3: the spool stays within its limit, and readings and dropped gaps account for every seq", async () => {
  const rig = await started();
  await rig.clock.advance(300_000);
  assert.ok(sizeOnDisk(rig) < LIMIT + 2000, String(sizeOnDisk(rig)));
  const numbers = numbersOf(rig, "a");
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => (numbers[0] ?? 0) + i),
    "numbers stay gapless",
  );
  rig.broker.back();
  await rig.clock.advance(5000);
  assert.equal(numbersOf(rig, "a").length, 0);
  const dropped = assertAccounted(rig, "d") + assertAccounted(rig, "e");
  assert.ok(dropped > 400, String(dropped));
  const reply = await rig.engine.ask("status", "{}", "test");
  const { node } = reply.data as { node: { spool: { dropped: number } } };
  assert.ok(Math.abs(node.spool.dropped - dropped) <= 2, "health counts readings and events");
  assert.ok(toldOn(rig, "node/events").length > 0);
  await rig.stop();
});

test("P3: what was dropped before a restart is told after it, and dropped runs grow on", async () => {
  const rig = await started();
  await rig.clock.advance(200_000);
  rig.crash();
  await rig.start();
  rig.broker.away();
  await rig.clock.advance(200_000);
  assert.ok(sizeOnDisk(rig) < LIMIT + 2000, String(sizeOnDisk(rig)));
  rig.broker.back();
  await rig.clock.advance(5000);
  for (const device of ["d", "e"]) {
    const gone = told(rig, device).filter(({ dropped }) => dropped);
    const read = told(rig, device).filter(({ dropped }) => !dropped);
    const both = gone.filter(({ seq }) => read.some((one) => one.seq === seq));
    assert.deepEqual(both, [], "nothing is both dropped and delivered");
    assert.ok(gone.length > 200, String(gone.length));
  }
  await rig.stop();
});

test("runs of a device become one gap, other gaps stay, events leave their number", () => {
  const reading = (device: string, seq: number): Spooled => ({
    topic: `readings/a/${device}`,
    ...{ retain: false, interval: 1000, slot: seq * 1000 },
    payload: JSON.stringify({
      ...{ node: "n", gateway: "a", device, interval: 1000, epoch: 1, seq, slot: seq * 1000 },
    }),
  });
  const missed: Spooled = {
    ...{ topic: "gaps/a", retain: false, interval: 0, slot: 3000 },
    payload: JSON.stringify({ outcome: "missed", reason: "late", from: 3, to: 3 }),
  };
  const messages = [reading("d", 1), reading("e", 1), reading("d", 2), missed, reading("d", 4)];
  const replaced = replaceDropped(messages, "spool_full");
  assert.equal(replaced.readings, 4);
  const gaps = replaced.messages.map(({ payload }) => JSON.parse(payload) as Message);
  assert.deepEqual(
    gaps.map(({ device, from, to, outcome }) => [device, from, to, outcome]),
    [
      ["d", 1, 2, "dropped"],
      ["e", 1, 1, "dropped"],
      [undefined, 3, 3, "missed"],
      ["d", 4, 4, "dropped"],
    ],
  );
  const again = replaceDropped([...replaced.messages, reading("d", 5)], "spool_full");
  assert.equal(again.readings, 1);
  assert.equal(again.messages.length, 4, "a dropped run grows on");
});
