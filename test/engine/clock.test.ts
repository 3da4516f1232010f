/** The wall clock: what a step of it is told as, and when it is not to be relied on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { claimOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };
const HOUR = 3_600_000;

/** The event of a step as told. */
interface StepEvent {
  readonly kind: string;
  readonly text: string;
  readonly data: {
    readonly size: number;
    readonly schedules: readonly {
      gateway: string;
      interval: number;
      epoch: number;
      seq: number;
    }[];
    readonly more: number;
  };
}

function stepsOf(rig: Rig): StepEvent[] {
  const events = rig.broker.on("polling/node/events");
  // Events are JSON objects with a kind; those asked for have the data of a step.
  const all = events.map((text) => JSON.parse(text) as StepEvent);
  return all.filter(({ kind }) => kind === "clock-step");
}

function clockOf(rig: Rig): string {
  // The topic carries health as JSON.
  const health = JSON.parse(rig.broker.retained("polling/node/health") ?? "{}") as object;
  return "clock" in health ? String(health.clock) : "";
}

/** Readings as told, with what they say of the clock. */
function marksOf(rig: Rig): (string | undefined)[] {
  return rig.broker.on("polling/readings/a/d").map((text) => {
    // Readings are JSON objects.
    return (JSON.parse(text) as { clock?: string }).clock;
  });
}

async function started(
  ...gateways: ConstructorParameters<typeof Rig>[0]["gateways"]
): Promise<Rig> {
  const rig = new Rig({ gateways });
  await rig.start();
  return rig;
}

test("a step is one event, however many schedules there are and however far their slots lie apart", async () => {
  const intervals = [10_000, 60_000];
  const ids = Array.from({ length: 30 }, (_, n) => `g${String(n)}`);
  const rig = await started(...ids.map((id) => ({ id, devices: { d: intervals }, phase: 0 })));
  await rig.clock.advance(190_500);
  rig.clock.stepWall(HOUR + 300);
  await rig.clock.advance(190_000);
  const [step, ...others] = stepsOf(rig);
  assert.ok(step !== undefined);
  assert.deepEqual(others, []);
  const { size, schedules, more } = step.data;
  assert.deepEqual([size, schedules.length, more], [HOUR + 300, 20, 40]);
  assert.match(step.text, /forward by 1h; .* before seq \d+ of g0@10s, and 59 more sched/);
  for (const { gateway, interval, epoch, seq } of schedules) {
    assert.equal(epoch, claimOf(rig, `${gateway}@${String(interval)}`).epoch);
    const slots = toldOn(rig, `readings/${gateway}/d`).filter((one) => one.interval === interval);
    const slotOf = (wanted: number) => slots.find((one) => one.seq === wanted)?.slot ?? 0;
    assert.ok(slotOf(seq) - slotOf(seq - 1) > HOUR, "the seq named is the first that follows");
    assert.equal(slotOf(seq - 1) - slotOf(seq - 2), interval, "and the one before it does not");
  }
});

test("small steps that come to more than 2 s between two slots are told by the slot that follows them", async () => {
  const rig = await started({ ...ONE, devices: { d: [10_000] } });
  await rig.clock.advance(25_000);
  for (const ms of [1500, 1500]) {
    rig.clock.stepWall(ms);
    await rig.clock.advance(2000);
  }
  assert.deepEqual(stepsOf(rig), []);
  await rig.clock.advance(30_000);
  const [step, ...others] = stepsOf(rig);
  assert.deepEqual(others, []);
  assert.equal(step?.data.size, 3000);
  assert.equal(step.data.schedules[0]?.gateway, "a");
});

test("a clock that wanders by less than 2 s between two looks is no step, however far it gets", async () => {
  const rig = await started({ ...ONE, devices: { d: [10_000] } });
  for (let n = 0; n < 300; n++) {
    rig.clock.stepWall(9);
    await rig.clock.advance(10_000);
  }
  assert.deepEqual(stepsOf(rig), []);
  const last = toldOn(rig, "readings/a/d").at(-1);
  assert.ok(Math.abs((last?.ts ?? 0) - (last?.slot ?? 0)) < 15, "and the slots follow it");
});

test("a step while the node was away is one event as well, with the first slots after it", async () => {
  const ids = Array.from({ length: 30 }, (_, n) => `g${String(n)}`);
  const rig = await started(...ids.map((id) => ({ ...ONE, id })));
  await rig.clock.advance(3500);
  rig.crash();
  rig.clock.stepWall(-HOUR);
  await rig.clock.advance(5000);
  await rig.start();
  await rig.clock.advance(10_000);
  const [step, ...others] = stepsOf(rig);
  assert.deepEqual(others, []);
  const { size, schedules, more } = step?.data ?? { size: 0, schedules: [], more: 0 };
  assert.deepEqual([size, schedules.length, more], [-HOUR, 20, 10]);
  assert.deepEqual([schedules[0]?.gateway, schedules[0]?.seq], ["g0", 5]);
});

test("after the clock was set back, readings and health are unsure until it is past the ledger again", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(30_500);
  assert.deepEqual([...new Set(marksOf(rig))], [undefined]);
  assert.equal(clockOf(rig), "synced");
  const before = marksOf(rig).length;
  rig.clock.stepWall(-60_000);
  await rig.clock.advance(59_000);
  const behind = marksOf(rig).slice(before + 1);
  assert.ok(behind.length > 50);
  assert.deepEqual([...new Set(behind)], ["unsure"]);
  assert.equal(clockOf(rig), "unsure");
  const after = marksOf(rig).length;
  await rig.clock.advance(32_000);
  assert.deepEqual([...new Set(marksOf(rig).slice(after + 3))], [undefined]);
  assert.equal(clockOf(rig), "synced");
});

test("a node that starts with its clock behind the ledger is unsure from the first reading", async () => {
  for (const boots of [false, true]) {
    const rig = new Rig({ gateways: [ONE], claimAhead: 3000 });
    await rig.start();
    await rig.clock.advance(60_500);
    rig.crash();
    if (boots) rig.reboot();
    rig.clock.stepWall(-30_000);
    await rig.start();
    // What the crash left in the spool has come by now.
    const before = marksOf(rig).length;
    await rig.clock.advance(20_500);
    const marks = marksOf(rig).slice(before);
    assert.ok(marks.length > 15);
    assert.deepEqual([...new Set(marks)], ["unsure"], boots ? "after a boot" : "in one boot");
  }
});

test("a node that is started again at once is sure of its clock, though slots were claimed ahead", async () => {
  const rig = new Rig({ gateways: [{ ...ONE, id: "z" }], claimAhead: 3000 });
  await rig.start();
  await rig.clock.advance(7100);
  rig.crash();
  const ahead = claimOf(rig, "z@1000").slot - rig.clock.wall();
  assert.ok(ahead > 1000, "slots are claimed that are not due yet");
  // A gateway that comes in begins with the next slot.
  rig.parts = { ...rig.parts, gateways: [...rig.parts.gateways, ONE] };
  await rig.start();
  await rig.clock.advance(ahead);
  assert.ok(marksOf(rig).length > 0);
  assert.deepEqual([...new Set(marksOf(rig))], [undefined]);
});

test("before the build of the release, and while the system says it is not synchronised, the clock is unsure", async () => {
  const rig = new Rig({ gateways: [ONE] });
  rig.built = rig.clock.wall() + 10_000;
  await rig.start();
  await rig.clock.advance(9000);
  assert.deepEqual([...new Set(marksOf(rig))], ["unsure"]);
  await rig.clock.advance(2000);
  const sure = marksOf(rig).length;
  await rig.clock.advance(5000);
  assert.deepEqual([...new Set(marksOf(rig).slice(sure))], [undefined]);
  rig.synced = false;
  await rig.clock.advance(2000);
  const unsure = marksOf(rig).length;
  await rig.clock.advance(30_000);
  assert.deepEqual([...new Set(marksOf(rig).slice(unsure))], ["unsure"]);
  assert.equal(clockOf(rig), "unsure");
});

test("what is unsure is told of the slot that was claimed then, not of the one that is read then", async () => {
  const rig = new Rig({ gateways: [ONE], claimAhead: 5000 });
  await rig.start();
  await rig.clock.advance(1000);
  const before = marksOf(rig).length;
  rig.synced = false;
  await rig.clock.advance(8000);
  const marks = marksOf(rig).slice(before);
  assert.deepEqual(marks.slice(0, 4), [undefined, undefined, undefined, undefined]);
  assert.equal(marks.at(-1), "unsure");
});
