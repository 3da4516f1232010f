/** Stops, starts, crashes and restarts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keys } from "../../src/core/records.ts";
import { faultsOf } from "./checker.ts";
import { claimOf, eventsOf, outcomesOf, timesOf, toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };

async function started(parts: Partial<ConstructorParameters<typeof Rig>[0]> = {}): Promise<Rig> {
  const rig = new Rig({ gateways: [ONE], ...parts });
  await rig.start();
  return rig;
}

test("a stop lets the request in flight end and sends no other; what is unread carries stopped", async () => {
  const devices = { one: [1000], two: [1000], three: [1000] };
  const rig = new Rig({ gateways: [{ ...ONE, devices }] });
  rig.behave("a", { kind: "value", ms: 200 });
  await rig.start();
  await rig.clock.advance(300);
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(3000);
  assert.equal(rig.seen.length, 2);
  const one = toldOn(rig, "readings/a/one");
  const two = toldOn(rig, "readings/a/two");
  const three = toldOn(rig, "readings/a/three");
  assert.deepEqual([one.length, two.length, three.length], [1, 1, 1]);
  assert.deepEqual([one[0]?.quality, two[0]?.quality], ["good", "good"]);
  assert.deepEqual([three[0]?.quality, three[0]?.reason], ["bad", "stopped"]);
  assert.equal(outcomesOf(rig, "a@1000")[1], "partial");
});

test("slots claimed ahead and not begun are missed: stopped; after a start the grid, epoch and seq go on", async () => {
  const rig = await started({ claimAhead: 3000 });
  await rig.clock.advance(1500);
  const { epoch } = claimOf(rig, "a@1000");
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(5000);
  await rig.engine.ask("start", "a", "test");
  await rig.clock.advance(1600);
  assert.deepEqual(timesOf(rig, "a"), [0, 1000, 7000, 8000]);
  const outcomes = outcomesOf(rig, "a@1000");
  for (const seq of [3, 4, 5, 6, 7]) assert.equal(outcomes[seq], "stopped");
  assert.equal(outcomes[8], "good");
  assert.equal(claimOf(rig, "a@1000").epoch, epoch);
  const gap = toldOn(rig, "gaps/a").at(-1);
  assert.deepEqual([gap?.from, gap?.to, gap?.reason], [3, 7, "stopped"]);
});

test("a start right after a stop does not poll the slot again", async () => {
  const rig = await started();
  await rig.clock.advance(1200);
  await rig.engine.ask("stop", "a", "test");
  await rig.engine.ask("start", "a", "test");
  await rig.clock.advance(1000);
  assert.deepEqual(timesOf(rig, "a"), [0, 1000, 2000]);
});

test("a desired state outlives the process, and the report names it", async () => {
  for (const end of ["stop", "crash"] as const) {
    const rig = await started();
    await rig.clock.advance(1500);
    await rig.engine.ask("stop", "a", "operator");
    if (end === "stop") await rig.stop();
    else rig.crash({ powerCut: true });
    await rig.clock.advance(5000);
    rig.seen.length = 0;
    await rig.start();
    await rig.clock.advance(5000);
    assert.equal(rig.seen.length, 0);
    const event = rig.broker.on("polling/node/events").findLast((text) => text.includes("started"));
    assert.match(event ?? "", /"stopped":\["a"\]/);
    await rig.stop();
    assert.deepEqual(faultsOf(rig), []);
    assert.deepEqual([...new Set(Object.values(outcomesOf(rig, "a@1000")))], ["good", "stopped"]);
  }
});

for (const crash of [
  { powerCut: false, inFlightKept: false },
  { powerCut: true, inFlightKept: false },
  { powerCut: true, inFlightKept: true },
]) {
  test(`P1, P2: a crash (${JSON.stringify(crash)}) while a request is in flight leaves the slot unknown, and it is not polled again`, async () => {
    const rig = new Rig({ gateways: [{ ...ONE, timeout: 900 }] });
    rig.behave("a", { kind: "value", ms: 300 });
    await rig.start();
    await rig.clock.advance(2100);
    rig.crash(crash);
    await rig.clock.advance(100);
    await rig.start();
    await rig.clock.advance(2000);
    const outcomes = outcomesOf(rig, "a@1000");
    assert.deepEqual([outcomes[2], outcomes[3], outcomes[4]], ["good", "crash", "good"]);
    assert.deepEqual(timesOf(rig, "a"), [0, 1000, 2000, 3000, 4000]);
    await rig.stop();
    assert.deepEqual(faultsOf(rig), []);
  });
}

test("a slot that is still within its grace at start is polled, and one beyond is down", async () => {
  const rig = await started();
  await rig.clock.advance(1500);
  rig.crash();
  await rig.clock.advance(1900);
  await rig.start();
  await rig.clock.advance(100);
  assert.deepEqual(timesOf(rig, "a"), [0, 1000, 3400]);
  await rig.clock.advance(1000);
  const outcomes = outcomesOf(rig, "a@1000");
  assert.deepEqual([outcomes[3], outcomes[4]], ["down", "good"]);
});

test("a process that ends in order leaves no slot unknown; those claimed ahead are down", async () => {
  const rig = await started({ claimAhead: 3000 });
  await rig.clock.advance(1500);
  await rig.stop();
  assert.deepEqual([outcomesOf(rig, "a@1000")[3], claimOf(rig, "a@1000").claimed], ["down", 4]);
  assert.equal(rig.broker.retained("polling/node/state"), "offline");
  await rig.clock.advance(3000);
  await rig.start();
  await rig.clock.advance(2000);
  assert.ok(!Object.values(outcomesOf(rig, "a@1000")).includes("crash"));
});

test("slots that pass while the last poll ends are down, not stopped", async () => {
  const rig = new Rig({ gateways: [{ ...ONE, timeout: 4000, retries: 0 }] });
  rig.behave("a", { kind: "silent" });
  await rig.start();
  await rig.clock.advance(300);
  await rig.stop();
  await rig.start();
  await rig.clock.advance(100);
  await rig.stop();
  assert.ok(!Object.values(outcomesOf(rig, "a@1000")).includes("stopped"));
  assert.deepEqual(faultsOf(rig), []);
});

test("after a reboot with the clock behind, a new epoch begins a full interval away", async () => {
  const rig = await started();
  await rig.clock.advance(60_500);
  const { epoch } = claimOf(rig, "a@1000");
  rig.crash({ powerCut: true });
  rig.reboot();
  rig.clock.stepWall(-3_600_000);
  await rig.start();
  const at = rig.clock.elapsed();
  await rig.clock.advance(2500);
  const first = rig.seen.findLast(({ life }) => life === 2) ?? { time: 0 };
  assert.ok(first.time - at >= 1000);
  assert.ok(claimOf(rig, "a@1000").epoch > epoch);
  assert.deepEqual(outcomesOf(rig, "a@1000")[1], "good");
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("a schedule that leaves the configuration is closed and told to the end, its retained topics are cleared", async () => {
  const two = { id: "b", devices: { d: [1000] }, phase: 300, retain: true };
  const rig = await started({ gateways: [ONE, two] });
  await rig.clock.advance(3000);
  await rig.stop();
  rig.parts = { gateways: [ONE] };
  await rig.clock.advance(10_000);
  await rig.start();
  await rig.clock.advance(1000);
  const gap = toldOn(rig, "gaps/b").at(-1);
  assert.ok(gap !== undefined);
  assert.deepEqual([gap.reason, (gap.slotFrom ?? 0) % 1000], ["down", 300]);
  assert.match(rig.disk("schedule/b@1000").get("schedule/b@1000") ?? "", /"closed":true/);
  for (const topic of [
    "health/b",
    "meta/b",
    "availability/b",
    "availability/b/d",
    "readings/b/d",
  ]) {
    assert.equal(rig.broker.retained(`polling/${topic}`), undefined, topic);
  }
  assert.notEqual(rig.broker.retained("polling/health/a"), undefined);
});

test("what is to be cleared is remembered until the broker has it", async () => {
  const two = { id: "b", devices: { d: [1000] }, phase: 300 };
  const rig = await started({ gateways: [ONE, two] });
  await rig.clock.advance(3000);
  await rig.stop();
  rig.parts = { gateways: [ONE] };
  rig.broker.away();
  await rig.start();
  await rig.clock.advance(3000);
  await rig.stop();
  rig.broker.back();
  await rig.start();
  await rig.clock.advance(3000);
  assert.equal(rig.broker.retained("polling/health/b"), undefined);
  const list = rig.disk(keys.retained).get(keys.retained) ?? "";
  assert.ok(!list.includes("health/b"));
});

test("a schedule that comes back begins a new epoch, and a crash right after its first claim loses nothing", async () => {
  const two = { id: "b", devices: { d: [1000] }, phase: 300 };
  const rig = await started({ gateways: [ONE, two] });
  await rig.clock.advance(3000);
  const { epoch } = claimOf(rig, "b@1000");
  await rig.stop();
  rig.parts = { gateways: [ONE] };
  await rig.start();
  await rig.clock.advance(3000);
  await rig.stop();
  rig.parts = { gateways: [ONE, two] };
  rig.behave("b", { kind: "value", ms: 400 });
  rig.seen.length = 0;
  await rig.start();
  const at = rig.clock.elapsed();
  const ofB = () => rig.seen.find(({ gateway }) => gateway === "b");
  for (let ms = 0; ms < 3000 && ofB() === undefined; ms += 10) await rig.clock.advance(10);
  const first = ofB();
  assert.ok(first !== undefined && first.time - at >= 1000);
  const back = claimOf(rig, "b@1000");
  assert.ok(back.epoch > epoch);
  rig.crash();
  await rig.start();
  await rig.clock.advance(3000);
  assert.equal(claimOf(rig, "b@1000").epoch, back.epoch, "the account goes on");
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("a stopped gateway that leaves the configuration is accounted as stopped", async () => {
  const two = { id: "b", devices: { d: [1000] }, phase: 300 };
  const rig = await started({ gateways: [ONE, two] });
  await rig.clock.advance(3000);
  await rig.engine.ask("stop", "b", "test");
  await rig.stop();
  rig.parts = { gateways: [ONE] };
  await rig.clock.advance(5000);
  await rig.start();
  await rig.clock.advance(1000);
  assert.equal(toldOn(rig, "gaps/b").at(-1)?.reason, "stopped");
});

test("a step of the clock while the node was away is told after the restart", async () => {
  const rig = await started();
  await rig.clock.advance(3000);
  await rig.stop();
  rig.clock.stepWall(-3_600_000);
  await rig.start();
  await rig.clock.advance(5000);
  assert.ok(eventsOf(rig).includes("clock-step"));
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("the end does not wait for ever for a disk that fails or hangs", async () => {
  for (const how of ["fails", "hangs"]) {
    const rig = await started();
    await rig.clock.advance(1500);
    if (how === "fails") rig.store.failNext(1e9);
    else rig.store.hold();
    await rig.clock.advance(1500);
    await rig.stop();
    assert.equal(rig.life, undefined);
  }
});

test("when a gateway last had a good read is known after the process died, and after it ended", async () => {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [1000] }, phase: 0, retries: 0 }] });
  // The topic carries health as JSON.
  const lastGood = () =>
    (JSON.parse(rig.broker.retained("polling/health/a") ?? "{}") as { lastGood: number }).lastGood;
  await rig.start();
  await rig.clock.advance(30_500);
  const before = rig.clock.wall();
  rig.behave("a", { kind: "silent" });
  rig.crash();
  await rig.clock.advance(5000);
  await rig.start();
  await rig.clock.advance(3000);
  assert.ok(Math.abs(lastGood() - before) <= 2000, `${String(before - lastGood())} ms off`);
  const known = lastGood();
  await rig.clock.advance(400_000);
  await rig.stop();
  await rig.start();
  await rig.clock.advance(3000);
  assert.equal(lastGood(), known);
});
