/** What polls find out about a device: remembered, kept to, told, and forgotten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReadRequest } from "../../src/core/ports.ts";
import type { Behaviour } from "./fakes.ts";
import { eventsOf, outcomesOf, toldOn } from "./reading.ts";
import { Rig, type GatewayInShort } from "./rig.ts";

/** Registers 0, 1, 6 and 7 of a device that has none between. */
const ONE: GatewayInShort = {
  ...{ id: "a", devices: { d: [1000, 1000, 1000, 1000] }, phase: 0 },
  addresses: [0, 1, 6, 7],
};

function refusing(...registers: number[]) {
  return ({ address, count }: ReadRequest): Behaviour => {
    const hit = registers.some((each) => each >= address && each < address + count);
    return hit ? { kind: "exception", code: 2 } : { kind: "value" };
  };
}

/** The requests of the last poll. */
function lastPoll(rig: Rig): string[] {
  const at = rig.seen.at(-1)?.time ?? 0;
  const last = rig.seen.filter(({ time }) => at - time < 500);
  return last.map(({ request: { address, count } }) => `${String(address)}+${String(count)}`);
}

/** A rig that has found the hole. */
async function learned(): Promise<Rig> {
  const rig = new Rig({ gateways: [ONE] });
  rig.behave("a", refusing(3));
  await rig.start();
  await rig.clock.advance(4500);
  assert.deepEqual(lastPoll(rig), ["0+2", "6+2"]);
  return rig;
}

const told = (rig: Rig) =>
  rig.broker
    .on("polling/node/events")
    .map((text) => JSON.parse(text) as { kind: string; text: string; data?: object })
    .filter(({ kind }) => kind === "registers-refused");

test("P1: a hole is found within regular slots, one request of each range a slot, and not read again", async () => {
  const rig = await learned();
  const outcomes = outcomesOf(rig, "a@1000");
  assert.deepEqual(
    [1, 2, 3, 4].map((seq) => outcomes[seq]),
    ["partial", "good", "partial", "good"],
    "refused, cut in two, checked once more, read round",
  );
  rig.seen.length = 0;
  await rig.clock.advance(10_000);
  assert.ok(rig.seen.length >= 20);
  assert.ok(!rig.seen.some(({ request }) => request.count > 2));
  assert.equal(toldOn(rig, "readings/a/d").at(-1)?.quality, "good");
});

test("it is said once, with the registers in both notations, and stands in health", async () => {
  const rig = await learned();
  await rig.clock.advance(60_000);
  assert.deepEqual(
    told(rig).map(({ text, data }) => [text, data]),
    [
      [
        "d refuses holding 2 to 5 (400003 to 400006), which no point needs, with exception 2: not read from now on",
        { table: "holding", address: 2, count: 4, exception: 2, kind: "gap" },
      ],
    ],
  );
  const [gap] = rig.engine.refused("a", "d");
  assert.deepEqual(gap, { table: "holding", address: 2, count: 4, exception: 2 });
  assert.deepEqual([rig.engine.refused("a", "x"), rig.engine.refused("b", "d")], [[], []]);
  const health = JSON.parse(rig.broker.retained("polling/health/a") ?? "") as {
    devices: { refused: object[] }[];
  };
  assert.deepEqual(health.devices[0]?.refused, [
    { table: "holding", address: 2, count: 4, exception: 2 },
  ]);
});

test("a point that is refused itself says so in each reading, and its neighbours have values", async () => {
  const rig = new Rig({ gateways: [ONE] });
  rig.behave("a", refusing(6));
  await rig.start();
  await rig.clock.advance(8500);
  const last = toldOn(rig, "readings/a/d").at(-1);
  assert.deepEqual(last?.values, { p0: 7, p1: 7, p3: 7 });
  assert.deepEqual(last.errors, { p2: { reason: "exception", exception: 2 } });
  assert.deepEqual(
    told(rig).map(({ text }) => text),
    ["d refuses holding 6 (400007) with exception 2: read alone from now on"],
  );
});

test("it outlives the process, but not a change of what is configured of the device", async () => {
  const rig = await learned();
  rig.crash({ powerCut: true });
  rig.seen.length = 0;
  await rig.start();
  await rig.clock.advance(2200);
  assert.deepEqual(lastPoll(rig), ["0+2", "6+2"]);
  assert.ok(!rig.seen.some(({ request }) => request.count > 2));
  await rig.stop();
  rig.parts = { gateways: [{ ...ONE, addresses: [0, 1, 6, 8] }] };
  rig.seen.length = 0;
  await rig.start();
  await rig.clock.advance(1100);
  assert.equal(rig.seen[0]?.request.count, 9);
  assert.equal(told(rig).length, 1);
});

test("another schedule of the device keeps to it as well", async () => {
  const intervals = [1000, 1000, 1000, 1000, 2000, 2000];
  const rig = new Rig({
    gateways: [{ ...ONE, devices: { d: intervals }, addresses: [0, 1, 6, 7, 0, 7] }],
  });
  rig.behave("a", refusing(3));
  await rig.start();
  await rig.clock.advance(8500);
  rig.seen.length = 0;
  await rig.clock.advance(4000);
  assert.ok(rig.seen.length > 8);
  assert.ok(!rig.seen.some(({ request }) => request.count > 2));
});

test("enable with forget reads it again, and says so once; without forget nothing is forgotten", async () => {
  const rig = await learned();
  await rig.engine.ask("enable", '{"gateway":"a"}', "test");
  await rig.clock.advance(1000);
  assert.deepEqual(lastPoll(rig), ["0+2", "6+2"]);
  rig.behave("a", { kind: "value" });
  const reply = await rig.engine.ask("enable", '{"gateway":"a","device":"d","forget":true}', "me");
  assert.equal(reply.status, "ok");
  await rig.clock.advance(1000);
  assert.deepEqual(lastPoll(rig), ["0+8"]);
  await rig.engine.ask("enable", '{"gateway":"a","forget":true}', "me");
  await rig.clock.advance(100);
  assert.equal(eventsOf(rig).filter((kind) => kind === "facts-forgotten").length, 1);
  assert.ok(![...rig.disk("gateway/").values()].join("").includes("refused"));
});
