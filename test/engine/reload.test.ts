/** A configuration that is read again while the node runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reply } from "../../src/core/command.ts";
import type { Reloaded } from "../../src/core/site-change.ts";
import { faultsOf } from "./checker.ts";
import { deviceOf, opened, TWO as PAIR } from "./dead.ts";
import { claimOf, eventsOf, outcomesOf, toldOn } from "./reading.ts";
import { Rig, type GatewayInShort } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };
const TWO = { id: "b", devices: { d: [1000] }, phase: 300 };
const THREE = { id: "c", devices: { d: [1000, 5000] }, phase: 600 };

async function started(...gateways: readonly GatewayInShort[]): Promise<Rig> {
  const rig = new Rig({ gateways });
  await rig.start();
  return rig;
}

/** Has the node read what the rig has by now; time goes on meanwhile. */
async function reload(rig: Rig, gateways: readonly GatewayInShort[]): Promise<Reply> {
  rig.parts = { ...rig.parts, gateways };
  const reply = rig.engine.ask("reload", "{}", "test");
  await rig.clock.advance(500);
  return reply;
}

function dataOf({ data, error }: Reply): Reloaded {
  assert.equal(error, undefined);
  // The data of `reload`.
  return data as Reloaded;
}

test("P1 P2: gateways come, go and change; no slot of the others is missed", async () => {
  const rig = await started(ONE, TWO, THREE);
  await rig.clock.advance(10_200);
  const { epoch } = claimOf(rig, "c@1000");
  const changed = { ...THREE, devices: { d: [1000], e: [2000] }, timeout: 200 };
  const data = dataOf(await reload(rig, [ONE, changed, { ...ONE, id: "x" }]));
  assert.deepEqual(data, {
    added: ["x"],
    removed: ["b"],
    changed: ["c"],
    opened: ["c@2000", "x@1000"],
    closed: ["b@1000", "c@5000"],
    restart: [],
    config: "sha256:00",
  });
  await rig.clock.advance(10_000);
  assert.deepEqual([...new Set(Object.values(outcomesOf(rig, "a@1000")))], ["good"]);
  assert.equal(claimOf(rig, "c@1000").epoch, epoch, "its account goes on");
  const slots = toldOn(rig, "readings/c/d").filter(({ interval }) => interval === 1000);
  assert.equal(
    new Set(slots.map(({ slot = 0 }) => slot % 1000)).size,
    1,
    "they lie where they lay",
  );
  const bad = Object.values(outcomesOf(rig, "c@1000")).filter((outcome) => outcome !== "good");
  assert.ok(bad.length <= 1, `c missed ${String(bad)}`);
  assert.ok(Object.keys(outcomesOf(rig, "c@2000")).length >= 4);
  assert.ok(Object.keys(outcomesOf(rig, "x@1000")).length >= 9);
  const after = rig.seen.filter(({ gateway }) => gateway === "b").length;
  await rig.clock.advance(3000);
  assert.equal(rig.seen.filter(({ gateway }) => gateway === "b").length, after);
  assert.match(rig.disk("schedule/").get("schedule/b@1000") ?? "", /"closed":true/);
  assert.match(rig.disk("schedule/").get("schedule/c@5000") ?? "", /"closed":true/);
  assert.ok(eventsOf(rig).includes("reloaded"));
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("what is retained of gateways and devices that are gone is cleared, and comes back with them", async () => {
  const rig = await started(
    ONE,
    { ...TWO, retain: true },
    { ...THREE, devices: { d: [1000], e: [1000] } },
  );
  await rig.clock.advance(3000);
  const gone = ["health/b", "meta/b", "availability/b", "availability/b/d", "availability/c/e"];
  for (const topic of gone) assert.ok(rig.broker.retained(`polling/${topic}`), topic);
  await reload(rig, [ONE, { ...THREE, devices: { d: [1000] } }]);
  await rig.clock.advance(2000);
  for (const topic of [...gone, "readings/b/d"])
    assert.equal(rig.broker.retained(`polling/${topic}`), undefined, topic);
  assert.match(rig.broker.retained("polling/node/info") ?? "", /"gateways":\["a","c"\]/);
  await reload(rig, [ONE, TWO]);
  await rig.clock.advance(5000);
  assert.ok(rig.broker.retained("polling/meta/b"));
  assert.equal(rig.broker.retained("polling/meta/c"), undefined);
  await rig.stop();
});

test("a configuration that is refused changes nothing, and the reply says why", async () => {
  const rig = await started(ONE, TWO);
  rig.refused = "edgepoll.yaml:3:5 unknown key";
  const { error } = await reload(rig, [ONE]);
  assert.equal(error?.code, "config_refused");
  assert.match(error.message, /goes on .*:\nedgepoll.yaml:3:5 unknown key/s);
  assert.ok(eventsOf(rig).includes("reload-refused"));
  const event = rig.broker.on("polling/node/events").at(-1) ?? "";
  assert.match(event, /"by":"test","text":"test had .* refused.*edgepoll.yaml:3:5 unknown key"/);
  rig.refused = undefined;
  const reply = await rig.engine.ask("reload", '{"gateway":"a"}', "test");
  assert.equal(reply.error?.code, "not_supported");
  await rig.clock.advance(3000);
  assert.ok(toldOn(rig, "readings/b/d").length >= 3);
});

test("a gateway that is stopped stays so, changed or gone and back", async () => {
  const rig = await started(ONE, TWO);
  await rig.engine.ask("stop", "b", "test");
  await rig.clock.advance(2000);
  await reload(rig, [ONE, { ...TWO, timeout: 100 }]);
  await reload(rig, [ONE]);
  await reload(rig, [ONE, TWO]);
  const polled = rig.seen.filter(({ gateway }) => gateway === "b").length;
  await rig.clock.advance(5000);
  assert.equal(rig.seen.filter(({ gateway }) => gateway === "b").length, polled);
  await rig.engine.ask("start", "b", "test");
  await rig.clock.advance(3000);
  assert.ok(rig.seen.filter(({ gateway }) => gateway === "b").length > polled);
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("a store that fails refuses a reload, and all gateways go on", async () => {
  const rig = await started(ONE, TWO);
  await rig.clock.advance(2500);
  rig.store.failNext(3);
  rig.parts = { ...rig.parts, gateways: [ONE] };
  const asking = rig.engine.ask("reload", "{}", "test");
  await rig.clock.advance(15_000);
  assert.equal((await asking).error?.code, "store_failed");
  assert.equal(rig.dropped, 1);
  const polled = rig.seen.filter(({ gateway }) => gateway === "b").length;
  await rig.clock.advance(5000);
  assert.ok(rig.seen.filter(({ gateway }) => gateway === "b").length >= polled + 4);
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("a reload behind 64 other commands is refused as busy, and lets go of what it has read", async () => {
  const rig = await started(ONE, TWO);
  rig.store.hold();
  const others = Array.from({ length: 64 }, () => rig.engine.ask("stop", "b", "test"));
  rig.parts = { ...rig.parts, gateways: [ONE] };
  const asking = rig.engine.ask("reload", "{}", "test");
  await rig.clock.settle();
  rig.store.release();
  await rig.clock.advance(500);
  assert.equal((await asking).error?.code, "busy");
  assert.equal(rig.dropped, 1);
  await Promise.all(others);
  dataOf(await reload(rig, [ONE]));
  assert.equal(rig.dropped, 1);
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("a device that is left out is probed at once where its connection was corrected, and not for another change", async () => {
  const rig = await opened();
  rig.behave("moved/2", { kind: "value" });
  const asked = () => rig.seen.filter(({ request }) => request.unitId === 2).length;
  const before = asked();
  await reload(rig, [{ ...PAIR, timeout: 900 }]);
  await rig.clock.advance(3000);
  assert.equal(asked(), before);
  assert.equal(deviceOf(rig, "dead")?.breaker, "open");
  await reload(rig, [{ ...PAIR, timeout: 900, endpoint: "moved" }]);
  await rig.clock.advance(2000);
  assert.equal(deviceOf(rig, "dead")?.breaker, "closed");
  const told = rig.broker.on("polling/node/events").find((text) => text.includes("enabled")) ?? "";
  assert.match(
    told,
    /"gateway":"a","by":null,"text":"dead of a, left out until now: probed at once/,
  );
  await rig.stop();
  assert.deepEqual(faultsOf(rig), []);
});

test("so it is at a start, also with probe: never; only an answer closes the breaker", async () => {
  const never = { ...PAIR, probe: "never" as const };
  const rig = await opened(never);
  await rig.stop();
  rig.behave("moved/2", { kind: "silent" });
  rig.parts = { gateways: [{ ...never, endpoint: "moved" }] };
  const from = rig.seen.length;
  await rig.start();
  await rig.clock.advance(5000);
  const probes = rig.seen.slice(from).filter(({ request }) => request.unitId === 2);
  assert.deepEqual(
    probes.map(({ endpoint }) => endpoint),
    ["moved"],
  );
  assert.equal(deviceOf(rig, "dead")?.breaker, "open");
  await rig.stop();
  await rig.start();
  await rig.clock.advance(5000);
  assert.equal(rig.seen.slice(from).filter(({ request }) => request.unitId === 2).length, 1);
});
