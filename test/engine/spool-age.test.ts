/** What waits too long for the broker, or where the disk has no room left: dropped, counted, named, told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSpooled, keys } from "../../src/core/records.ts";
import { numbersOf } from "./checker.ts";
import { toldOn, type Message } from "./reading.ts";
import { Rig, type RigParts } from "./rig.ts";

const GATEWAYS = [{ id: "a", devices: { d: [5000] }, phase: 0 }];
const MINUTE = 60_000;

async function outage(parts: Partial<RigParts>): Promise<Rig> {
  const rig = new Rig({ gateways: GATEWAYS, ...parts });
  await rig.start();
  await rig.clock.advance(5000);
  rig.broker.away();
  return rig;
}

function dropped(rig: Rig): Message[] {
  return toldOn(rig, "gaps/a").filter(({ outcome }) => outcome === "dropped");
}

function seqsRead(rig: Rig): number[] {
  return [...new Set(toldOn(rig, "readings/a/d").map(({ seq = 0 }) => seq))];
}

function waitingReadings(rig: Rig): number {
  const texts = [...rig.disk("spool/a/").values()];
  return texts.filter((text) => decodeSpooled(text).topic.startsWith("readings/")).length;
}

/** Events of a kind on the audit trail. */
function trailOf(rig: Rig, kind: string): number {
  return [...rig.disk("audit/").values()].filter((text) => text.includes(`"kind":"${kind}"`))
    .length;
}

/** Each seq up to the last one came once, as a reading or in a gap. */
function assertAccounted(rig: Rig): void {
  const gaps = dropped(rig).flatMap(({ from = 0, to = 0 }) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
  );
  const all = [...seqsRead(rig), ...gaps].sort((a, b) => a - b);
  assert.deepEqual(
    all,
    all.map((_, i) => i + 1),
  );
}

test("P3: what has waited longer than maxAge is dropped, counted, named by one gap, and said", async () => {
  const rig = await outage({ spoolAge: 5 * MINUTE });
  await rig.clock.advance(20 * MINUTE);
  const waits = waitingReadings(rig);
  assert.ok(waits >= 59 && waits <= 62, `${String(waits)} readings of five minutes wait`);
  const kept = JSON.parse(rig.disk(keys.dropped("a")).get(keys.dropped("a")) ?? "{}") as {
    by: Record<string, number>;
  };
  rig.broker.back();
  await rig.clock.advance(5000);
  assert.equal(numbersOf(rig, "a").length, 0);
  const gaps = dropped(rig);
  assert.deepEqual(
    gaps.map(({ device, reason }) => [device, reason]),
    [["d", "too_old"]],
  );
  const [{ from = 0, to = 0 } = {}] = gaps as [Message?];
  assert.equal(kept.by["too_old"], to - from + 1);
  assertAccounted(rig);
  assert.equal(trailOf(rig, "spool-expired"), 1);
  await rig.stop();
});

test("P3: a reading that waits alone grows too old as well, and events do", async () => {
  const slow = [{ id: "a", devices: { d: [10 * MINUTE] }, phase: 0 }];
  const rig = await outage({ gateways: slow, spoolAge: 3 * MINUTE });
  await rig.engine.ask("stop", "a", "test");
  await rig.engine.ask("start", "a", "test");
  while (waitingReadings(rig) === 0) await rig.clock.advance(MINUTE);
  await rig.clock.advance(5 * MINUTE);
  assert.equal(waitingReadings(rig), 0);
  rig.broker.back();
  await rig.clock.advance(5000);
  assertAccounted(rig);
  const events = rig.broker.on("polling/node/events").filter((text) => text.includes("dropped"));
  assert.match(events.join("\n"), /\d events were dropped: they had waited longer than mqtt/);
  await rig.stop();
});

test("a step of the clock drops nothing, and neither does a restart", async () => {
  const rig = await outage({ spoolAge: 5 * MINUTE });
  await rig.clock.advance(MINUTE);
  const before = waitingReadings(rig);
  rig.clock.stepWall(30 * 86_400_000);
  await rig.clock.advance(MINUTE);
  rig.crash();
  rig.reboot();
  await rig.start();
  rig.broker.away();
  await rig.clock.advance(MINUTE);
  assert.ok(waitingReadings(rig) >= before + 22, "all of it still waits");
  await rig.clock.advance(10 * MINUTE);
  assert.ok(waitingReadings(rig) < 64);
  rig.broker.back();
  await rig.clock.advance(5000);
  assert.ok(dropped(rig).every(({ reason }) => reason === "too_old"));
  await rig.stop();
});

test("P3: with too little room on the disk the oldest go step by step, until there is enough", async () => {
  const rig = await outage({});
  await rig.clock.advance(5 * MINUTE);
  const before = waitingReadings(rig);
  const compacted: string[] = [];
  rig.store.compact = ({ from }) => {
    compacted.push(from);
    return Promise.resolve();
  };
  rig.diskRoom = { size: 2e6, free: 93_000 };
  await rig.clock.advance(10_000);
  const after = waitingReadings(rig);
  assert.ok(after < before && after > 10, `${String(before)} and then ${String(after)} wait`);
  // The event that the broker is away waits in a stream of its own, and is among the oldest.
  assert.deepEqual(new Set(compacted), new Set(["spool/$node/", "spool/a/"]));
  rig.diskRoom = { size: 2e6, free: 200_000 };
  await rig.clock.advance(MINUTE);
  assert.ok(waitingReadings(rig) >= after + 11);
  rig.broker.back();
  await rig.clock.advance(5000);
  assert.ok(dropped(rig).every(({ reason }) => reason === "disk_full"));
  assertAccounted(rig);
  assert.equal(trailOf(rig, "disk-full"), 1);
  await rig.stop();
});
