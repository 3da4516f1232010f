/** From the spool to the broker, and what is told of slots without a reading. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsOf, numbersOf } from "./checker.ts";
import { toldOn } from "./reading.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };

async function started(...ids: string[]): Promise<Rig> {
  const rig = new Rig({ gateways: ids.map((id) => ({ ...ONE, id })) });
  await rig.start();
  return rig;
}

function seqsOf(rig: Rig, gateway: string): (number | undefined)[] {
  return toldOn(rig, `readings/${gateway}/d`).map(({ seq }) => seq);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

test("P3: outcome and readings enter the store in one batch", async () => {
  const rig = await started("a");
  const batches: string[][] = [];
  const write = rig.store.write.bind(rig.store);
  rig.store.write = (batch, sync) => {
    assert.ok(sync);
    batches.push(batch.filter(({ value }) => value !== undefined).map(({ key }) => key));
    return write(batch, sync);
  };
  await rig.clock.advance(3500);
  const outcomes = batches.filter((batch) => batch.some((key) => key.startsWith("outcome/")));
  assert.ok(outcomes.length >= 3);
  for (const batch of outcomes) assert.ok(batch.some((key) => key.startsWith("spool/a/")));
});

test("P3, P4: while the broker is away readings wait on disk, then come in order, marked as replayed", async () => {
  const rig = await started("a");
  await rig.clock.advance(2500);
  rig.broker.away();
  await rig.clock.advance(5000);
  assert.equal(numbersOf(rig, "a").length, 5);
  rig.broker.back();
  await rig.clock.advance(2000);
  assert.deepEqual(seqsOf(rig, "a"), upTo(10));
  const replayed = toldOn(rig, "readings/a/d").map((reading) => reading.replayed === true);
  assert.deepEqual(replayed, [false, false, false, true, true, true, true, false, false, false]);
  await rig.clock.advance(2000);
  assert.ok(numbersOf(rig, "a").length <= 2, "what was acknowledged leaves the disk");
});

test("P4: what was sent and not acknowledged is sent again, byte for byte but for replayed, and only then deleted", async () => {
  const rig = await started("a");
  rig.broker.held = true;
  await rig.clock.advance(2500);
  assert.equal(numbersOf(rig, "a").length, 3);
  rig.broker.away();
  rig.broker.held = false;
  rig.broker.back();
  await rig.clock.advance(3000);
  const texts = rig.broker.on("polling/readings/a/d").map((t) => t.replace(',"replayed":true', ""));
  const ofFirst = texts.filter((text) => text.includes('"seq":1,'));
  assert.ok(ofFirst.length >= 2);
  assert.equal(new Set(ofFirst).size, 1);
  assert.deepEqual([...new Set(seqsOf(rig, "a"))], upTo(6));
});

test("more than is kept in memory waits on disk and is read back in order", async () => {
  const rig = await started("a");
  rig.broker.away();
  await rig.clock.advance(400_500);
  assert.equal(numbersOf(rig, "a").length, 401);
  rig.broker.back();
  await rig.clock.advance(1000);
  assert.deepEqual(seqsOf(rig, "a"), upTo(402));
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("what waits on disk is published after a restart, before what is new", async () => {
  const rig = await started("a");
  rig.broker.away();
  await rig.clock.advance(100_500);
  rig.crash();
  rig.broker.back();
  await rig.start();
  await rig.clock.advance(2000);
  assert.deepEqual(seqsOf(rig, "a"), upTo(103));
});

test("gateways take turns in the spool", async () => {
  const rig = await started("a", "b");
  rig.broker.away();
  await rig.clock.advance(30_500);
  rig.broker.back();
  await rig.clock.settle();
  const order = rig.broker.delivered
    .filter(({ topic }) => topic.startsWith("polling/readings/"))
    .map(({ topic }) => topic.split("/")[2])
    .slice(0, 20);
  assert.deepEqual(order, Array.from({ length: 10 }, () => ["a", "b"]).flat());
});

test("never more is in flight than the window, and nothing is sent while the broker is away", async () => {
  const rig = await started("a");
  rig.broker.held = true;
  await rig.clock.advance(30_000);
  assert.ok((rig.life?.bus.most ?? 99) <= 8);
  rig.broker.away();
  const before = rig.broker.delivered.length;
  await rig.clock.advance(5000);
  assert.equal(rig.broker.delivered.length, before);
});

test("a refused reading goes aside and keeps no other waiting", async () => {
  const rig = await started("a", "b");
  rig.broker.refuses = (topic) => topic === "polling/readings/a/d";
  await rig.clock.advance(3500);
  assert.equal(seqsOf(rig, "b").length, 4);
  assert.equal(rig.disk("quarantine/a/").size + numbersOf(rig, "a").length >= 3, true);
  assert.equal(rig.errors.filter((text) => text.includes("refuses")).length, 1);
});

test("a run of missed slots is told when it ends", async () => {
  const rig = await started("a");
  await rig.clock.advance(1500);
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(60_000);
  assert.deepEqual(toldOn(rig, "gaps/a"), []);
  await rig.engine.ask("start", "a", "test");
  await rig.clock.advance(1000);
  const gaps = toldOn(rig, "gaps/a").map(({ from, to, reason }) => [from, to, reason]);
  assert.deepEqual(gaps, [[3, 62, "stopped"]]);
});

test("a run that goes on is told every hour, and each seq in one message", async () => {
  const rig = await started("a");
  await rig.clock.advance(1500);
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(3 * 3_600_000);
  assert.equal(toldOn(rig, "gaps/a").length, 3);
  await rig.engine.ask("start", "a", "test");
  await rig.clock.advance(2000);
  let last = 2;
  for (const { from = 0, to = 0 } of toldOn(rig, "gaps/a")) {
    assert.equal(from, last + 1);
    last = to;
  }
  assert.equal(toldOn(rig, "gaps/a").length, 4);
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("at the end the spool is published while the broker acknowledges, and then offline", async () => {
  const rig = await started("a");
  rig.broker.away();
  await rig.clock.advance(200_500);
  rig.broker.back();
  await rig.stop();
  assert.equal(seqsOf(rig, "a").length >= 201, true);
  const last = rig.broker.delivered.at(-1);
  assert.deepEqual([last?.topic, last?.payload], ["polling/node/state", "offline"]);
});

test("P2: a reading that the broker refuses is kept aside, and a gap takes its place", async () => {
  const rig = await started("a");
  rig.broker.refuses = (topic) => topic.startsWith("polling/readings/");
  await rig.clock.advance(3500);
  const gaps = toldOn(rig, "gaps/a").filter(({ outcome }) => outcome === "quarantined");
  assert.deepEqual(
    gaps.map(({ from, to, device, reason }) => [from, to, device, reason]),
    gaps.map((_, i) => [i + 1, i + 1, "d", "refused"]),
  );
  assert.ok(gaps.length >= 3);
  await rig.stop();
  assert.equal(rig.disk("quarantine/a/").size, gaps.length);
});

test("an outage of the broker is on the audit trail, its begin and its end, and the node's own end is none", async () => {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [1000] } }] });
  await rig.start();
  await rig.clock.advance(20_000);
  rig.broker.away();
  await rig.clock.advance(75_000);
  rig.broker.back();
  await rig.clock.advance(12_000);
  for (const ms of [2000, 3000]) {
    rig.broker.away();
    await rig.clock.advance(ms);
    rig.broker.back();
    await rig.clock.advance(ms);
  }
  await rig.clock.advance(12_000);
  await rig.stop();
  rig.broker.away();
  await rig.start();
  await rig.clock.advance(12_000);
  rig.broker.back();
  await rig.clock.advance(12_000);
  const told = rig.broker.on("polling/node/events").map((text) => {
    // Events are JSON objects with a kind and a text.
    const { kind, text: words } = JSON.parse(text) as { kind: string; text: string };
    return kind.startsWith("broker") ? words : kind;
  });
  assert.deepEqual(told, [
    "node-started",
    "the broker is away; readings wait on disk",
    "the broker is back after 1m15s",
    "the broker was away for 7s",
    "node-stopped",
    "node-started",
    "the broker has not been reached since the start; readings wait on disk",
    "the broker is back after 12s",
  ]);
});
