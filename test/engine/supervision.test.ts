/** Bugs that must not go unseen: a schedule that stands still, and errors in edgepoll itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeHealth } from "../../src/core/payloads.ts";
import type { Validation } from "../../src/core/validation.ts";
import { faultsOf } from "./checker.ts";
import { eventsOf, outcomesOf, timesOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };
const TWO = { id: "b", devices: { d: [1000], e: [1000] }, phase: 300 };
/** Timers of the scheduler, with slots a second apart: those of the watch and of the beat are set for a whole one. */
const SCHEDULER = { least: 100, most: 999 };

async function started(...gateways: ConstructorParameters<typeof Rig>[0]["gateways"]) {
  const rig = new Rig({ gateways });
  await rig.start();
  return rig;
}

async function healthOf(rig: Rig): Promise<NodeHealth> {
  const { data } = await rig.engine.ask("status", "{}", "test");
  // The data of `status`.
  return (data as { node: NodeHealth }).node;
}

test("P2: a schedule that stands still without a reason is a finding, is restarted and counted", async () => {
  const rig = await started(ONE, TWO);
  await rig.clock.advance(2500);
  const { life } = rig;
  assert.ok(life !== undefined);
  life.clock.breaks = { how: "lost", ...SCHEDULER };
  await rig.clock.advance(1000);
  assert.equal(life.clock.breaks, undefined, "the timer of the scheduler was lost");
  const before = rig.seen.length;
  await rig.clock.advance(1000);
  assert.equal(rig.seen.length, before, "nothing is polled");
  assert.equal((await healthOf(rig)).findings, 0);
  await rig.clock.advance(6000);
  assert.ok(timesOf(rig, "a").length > 5, "it is polled again");
  const { findings, restarts, errors } = await healthOf(rig);
  assert.deepEqual([findings, restarts, errors], [2, 2, undefined]);
  const asking = rig.engine.ask("validate", "{}", "test");
  await rig.clock.advance(1000);
  // The data of `validate`.
  const { findings: found } = (await asking).data as Validation;
  assert.deepEqual(
    found.map(({ kind, gateway }) => [kind, gateway]),
    [
      ["stalled", "a"],
      ["stalled", "b"],
    ],
  );
  assert.match(found[0]?.text ?? "", /^a@1s began no slot for \d s .* It was restarted$/);
  assert.deepEqual(
    eventsOf(rig).filter((kind) => kind === "schedules-restarted"),
    ["schedules-restarted"],
  );
  await rig.clock.advance(3_600_000);
  assert.deepEqual([(await healthOf(rig)).findings, (await healthOf(rig)).restarts], [0, 2]);
  await rig.stop();
  const reasons = new Set(Object.values(outcomesOf(rig, "a@1000")));
  assert.deepEqual([...reasons].sort(), ["good", "late"]);
  assert.deepEqual(faultsOf(rig), []);
});

test("slots that are missed for a reason are no standstill", async () => {
  const rig = await started({ ...ONE, failureThreshold: 3, probe: "never" }, TWO);
  rig.behave("a", { kind: "refuse" });
  await rig.engine.ask("stop", "b", "test");
  await rig.clock.advance(60_000);
  assert.equal(outcomesOf(rig, "a@1000")[40], "disabled");
  rig.store.failNext(1e9);
  await rig.clock.advance(30_000);
  const { restarts, findings } = await healthOf(rig);
  assert.deepEqual([restarts, findings], [undefined, 0]);
});

test("P2 K12: a link that throws fails the slot, says so, and is no failure of the device", async () => {
  const rig = await started({ ...TWO, failureThreshold: 1 });
  await rig.clock.advance(1500);
  rig.behave("b/1", { kind: "throws" });
  await rig.clock.advance(1000);
  rig.behave("b/1", { kind: "value" });
  await rig.clock.advance(2000);
  assert.deepEqual(Object.values(outcomesOf(rig, "b@1000")), [
    "good",
    "good",
    "failed",
    "good",
    "good",
  ]);
  for (const device of ["d", "e"]) {
    const readings = toldOn(rig, `readings/b/${device}`);
    assert.deepEqual(
      readings.map(({ seq, reason }) => [seq, reason]),
      [
        [1, undefined],
        [2, undefined],
        [3, "stopped"],
        [4, undefined],
        [5, undefined],
      ],
    );
  }
  const { errors } = await healthOf(rig);
  assert.equal(errors, 1);
  assert.match(rig.errors[0] ?? "", /an error in edgepoll itself, in a poll of b@1000: a bug in/);
  assert.ok(eventsOf(rig).includes("internal-error"));
  assert.ok(!eventsOf(rig).includes("device-open"));
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("P2 K12: an answer that can't be decoded leaves its device without a value, and its neighbour with one", async () => {
  const rig = await started(TWO);
  rig.behave("b/1", { kind: "wordless" });
  await rig.clock.advance(1000);
  rig.behave("b/1", { kind: "value" });
  await rig.clock.advance(1000);
  assert.deepEqual(Object.values(outcomesOf(rig, "b@1000")), ["partial", "good"]);
  assert.deepEqual(
    toldOn(rig, "readings/b/d").map(({ quality }) => quality),
    ["bad", "good"],
  );
  assert.deepEqual(
    toldOn(rig, "readings/b/e").map(({ quality }) => quality),
    ["good", "good"],
  );
  assert.equal((await healthOf(rig)).errors, 1);
});

test("P3 P4 K12: what publishing threw for is sent again, in order", async () => {
  const rig = await started(ONE);
  await rig.clock.advance(1500);
  let thrown = 0;
  rig.broker.throws = (topic) => topic === "polling/readings/a/d" && thrown++ === 0;
  await rig.clock.advance(5000);
  assert.ok(thrown > 1);
  const { errors, spool } = await healthOf(rig);
  assert.deepEqual([errors, spool.readings], [1, 0]);
  assert.deepEqual(
    toldOn(rig, "readings/a/d").map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7],
  );
});

test("K12: a message that can't be looked at is no end of taking commands", async () => {
  const rig = await started(ONE);
  const broken = {
    topic: "polling/cmd/stop",
    retain: false,
    get payload(): string {
      throw new Error("a bug in a message, as told");
    },
  };
  rig.life?.bus.receive(broken);
  rig.broker.command({ topic: "polling/cmd/stop", payload: "a" });
  await rig.clock.advance(1000);
  assert.equal((await healthOf(rig)).errors, 1);
  assert.equal(toldOn(rig, "reply/stop").length, 1);
});

test("K12: a timer whose callback throws is counted; three errors in a minute end the process, two do not", async () => {
  const rig = await started(ONE);
  const { life } = rig;
  assert.ok(life !== undefined);
  for (const expected of [0, 0, 1]) {
    life.clock.breaks = { how: "throws", ...SCHEDULER };
    await rig.clock.advance(10_000);
    assert.equal(rig.givenUp, expected);
  }
  const { errors, restarts } = await healthOf(rig);
  assert.deepEqual([errors, restarts], [3, 3]);
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});
