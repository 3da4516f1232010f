/** The command `enable`, and how `start` leaves breakers alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf } from "./reading.ts";
import { Rig } from "./rig.ts";

const SITE = {
  gateways: [
    {
      ...{ id: "a", devices: { one: [1000], two: [1000], three: [1000] }, phase: 0, retries: 0 },
      ...{ failureThreshold: 2, probe: "never" as const },
    },
    { id: "b", devices: { one: [1000] }, retries: 0, failureThreshold: 2, probe: "never" as const },
  ],
};

interface Stands {
  readonly gateway: string;
  readonly state: string;
  readonly desired: string;
  readonly open: readonly string[];
}

async function ask(rig: Rig, verb: string, payload: object): Promise<Stands[] | string> {
  const reply = rig.engine.ask(verb, JSON.stringify(payload), "cli (test)");
  await rig.clock.advance(5);
  const { data, error } = await reply;
  // The data of start, stop and enable.
  return error?.code ?? (data as { gateways: Stands[] }).gateways;
}

/** A site whose devices `two` and `three` of `a`, and all of `b`, are out for good. */
async function broken(): Promise<Rig> {
  const rig = new Rig(SITE);
  await rig.start();
  for (const where of ["a/2", "a/3", "b"]) rig.behave(where, { kind: "exception", code: 11 });
  await rig.clock.advance(15_100);
  rig.seen.length = 0;
  return rig;
}

const unitsOf = (rig: Rig) =>
  rig.seen.flatMap(({ gateway, request }) =>
    gateway === "a" && request.unitId === 1 ? [] : [`${gateway}/${String(request.unitId)}`],
  );

test("with probe: never a dead device waits for enable, which probes each in a slot of its own", async () => {
  const rig = await broken();
  await rig.clock.advance(1_000_000);
  assert.deepEqual(unitsOf(rig), []);
  assert.deepEqual(await ask(rig, "enable", { gateway: "*" }), [
    { gateway: "a", state: "degraded", desired: "running", open: [] },
    { gateway: "b", state: "disabled", desired: "running", open: [] },
  ]);
  await rig.clock.advance(5000);
  assert.deepEqual(unitsOf(rig).sort(), ["a/2", "a/3", "b/1"], "once each, and no more");
  const [reply] = (await ask(rig, "status", { gateway: "a" })) as unknown as [
    { devices: { breaker: string }[] },
  ];
  assert.deepEqual(
    reply.devices.map(({ breaker }) => breaker),
    ["closed", "open", "open"],
  );
});

test("enable is for the devices named, and for those of the gateways named", async () => {
  const rig = await broken();
  const [a] = (await ask(rig, "enable", { gateway: "a", device: "three" })) as Stands[];
  assert.deepEqual(a?.open, ["two"]);
  rig.behave("a/3", { kind: "value" });
  await rig.clock.advance(1900);
  assert.deepEqual([...new Set(unitsOf(rig))], ["a/3"]);
  const stays = (await ask(rig, "start", { gateway: "*" })) as Stands[];
  assert.deepEqual(
    stays.map(({ state, open }) => [state, open]),
    [
      ["degraded", ["two"]],
      ["disabled", ["one"]],
    ],
  );
  assert.ok(!unitsOf(rig).includes("b/1"), "start does not touch breakers");
});

test("what can't be enabled is refused, and nothing is enabled then", async () => {
  const rig = await broken();
  const table: [object, string][] = [
    [{}, "gateway_required"],
    [{ gateway: "nobody" }, "gateway_unknown"],
    [{ gateway: "a", device: "four" }, "device_unknown"],
    [{ gateway: "b", device: ["one", "two"] }, "device_unknown"],
    [{ gateway: "a", device: [] }, "malformed"],
    [{ gateway: "a", forget: "yes" }, "malformed"],
    [{ gateway: "a", point: "p0" }, "unknown_key"],
  ];
  for (const [payload, code] of table) {
    assert.equal(await ask(rig, "enable", payload), code, JSON.stringify(payload));
  }
  assert.equal(await ask(rig, "stop", { gateway: "a", device: "two" }), "unknown_key");
  await rig.clock.advance(3000);
  assert.deepEqual(unitsOf(rig), []);
});

test("enable is on the audit trail, once, and only when it did something", async () => {
  const rig = await broken();
  await ask(rig, "enable", { gateway: "a", device: "one" });
  assert.ok(!eventsOf(rig).includes("devices-enabled"), "its breaker was closed");
  await ask(rig, "enable", { gateway: "a", transaction: "t" });
  await rig.clock.advance(4000);
  await ask(rig, "enable", { gateway: "a", transaction: "t" });
  await rig.clock.advance(100);
  const [event, ...more] = rig.broker
    .on("polling/node/events")
    .map((text) => JSON.parse(text) as { kind: string; text: string; by: string; data: object })
    .filter(({ kind }) => kind === "devices-enabled");
  assert.deepEqual(more, []);
  assert.deepEqual(
    [event?.text, event?.by, event?.data],
    ["two, three of a were enabled by cli (test)", "cli (test)", { devices: ["two", "three"] }],
  );
});

test("what was enabled is still probed after the process died", async () => {
  const rig = await broken();
  await ask(rig, "enable", { gateway: "b" });
  rig.crash({ powerCut: true });
  rig.behave("b", { kind: "value" });
  await rig.start();
  await rig.clock.advance(2500);
  assert.ok(unitsOf(rig).includes("b/1"));
});

test("an enable that can't be written says so, and acts all the same", async () => {
  const rig = await broken();
  rig.store.failNext(1);
  assert.equal(await ask(rig, "enable", { gateway: "b" }), "store_failed");
  rig.store.failNext(0);
  await rig.clock.advance(3000);
  assert.deepEqual([...new Set(unitsOf(rig))], ["b/1"]);
});
