/** Commands over the broker: carried out once, answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "../../src/core/errors.ts";
import { Rig } from "./rig.ts";

const ONE = { id: "a", devices: { d: [1000] }, phase: 0 };

interface Reply {
  readonly status: string;
  readonly data?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly transaction?: string;
}

async function started(): Promise<Rig> {
  const rig = new Rig({ gateways: [ONE, { ...ONE, id: "b" }], disabled: ["off"] });
  await rig.start();
  await rig.clock.advance(100);
  return rig;
}

function repliesOn(rig: Rig, topic: string): Reply[] {
  // Replies are JSON objects.
  return rig.broker.on(topic).map((text) => JSON.parse(text) as Reply);
}

async function command(
  rig: Rig,
  verb: string,
  payload: unknown,
  more: object = {},
): Promise<Reply | undefined> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  rig.broker.command({ topic: `polling/cmd/${verb}`, payload: text, ...more });
  await rig.clock.advance(5);
  return repliesOn(rig, `polling/reply/${verb}`).at(-1);
}

test("stop and start answer with the state of each gateway", async () => {
  const rig = await started();
  const stop = await command(rig, "stop", "a");
  assert.deepEqual(stop, {
    ...{ node: "plant-a", status: "ok" },
    data: { gateways: [{ gateway: "a", state: "stopped", desired: "stopped", open: [] }] },
  });
  const start = await command(rig, "start", { gateway: "*", transaction: "t1" });
  assert.ok(start !== undefined);
  assert.equal(start.transaction, "t1");
  // As the data of start is laid down.
  assert.equal((start.data as { gateways: unknown[] }).gateways.length, 2);
});

test("a stop is durable when it is answered, and a start polls nothing before it is", async () => {
  const rig = await started();
  rig.store.hold();
  assert.equal(await command(rig, "stop", "a"), undefined);
  rig.store.release();
  await rig.clock.advance(1);
  assert.match(rig.disk("gateway/a").get("gateway/a") ?? "", /"desired":"stopped"/);
  await rig.clock.advance(2000);
  rig.store.hold();
  rig.seen.length = 0;
  await command(rig, "start", "a");
  await rig.clock.advance(3000);
  assert.ok(!rig.seen.some(({ gateway }) => gateway === "a"));
});

test("P6: a transaction is answered again and not carried out again, also after a restart", async () => {
  const rig = await started();
  const first = await command(rig, "stop", { gateway: "a", transaction: "t1" });
  await command(rig, "start", "a");
  const again = await command(rig, "stop", { gateway: "a", transaction: "t1" });
  assert.deepEqual(again, first);
  await rig.clock.advance(2000);
  assert.match(rig.disk("gateway/a").get("gateway/a") ?? "", /"desired":"running"/);
  rig.crash({ powerCut: true });
  await rig.start();
  assert.deepEqual(await command(rig, "stop", { gateway: "a", transaction: "t1" }), first);
  await rig.clock.advance(2000);
  assert.match(rig.disk("gateway/a").get("gateway/a") ?? "", /"desired":"running"/);
});

test("P6: a step of the wall clock makes no transaction forgotten", async () => {
  for (const step of [-3_600_000, 3_600_000]) {
    const rig = await started();
    await command(rig, "stop", { gateway: "a", transaction: "t1" });
    await command(rig, "start", "a");
    rig.clock.stepWall(step);
    await command(rig, "stop", { gateway: "a", transaction: "t1" });
    await rig.clock.advance(2000);
    assert.match(rig.disk("gateway/a").get("gateway/a") ?? "", /"desired":"running"/);
  }
});

test("after ten minutes a transaction is forgotten, on disk too", async () => {
  const rig = await started();
  await command(rig, "stop", { gateway: "a", transaction: "t1" });
  await command(rig, "start", "a");
  await rig.clock.advance(601_000);
  await command(rig, "stop", { gateway: "a", transaction: "t2" });
  await rig.clock.advance(2000);
  assert.deepEqual([...rig.disk("command/").keys()], ["command/t2"]);
});

test("a transaction whose command could not be kept is not remembered as done", async () => {
  const rig = await started();
  rig.store.failNext(1000);
  const refused = await command(rig, "start", { gateway: "b", transaction: "t0" });
  assert.equal(refused?.status, "error");
  const stop = await command(rig, "stop", { gateway: "a", transaction: "t1" });
  assert.equal(stop?.error?.code, "store_failed");
  rig.store.failNext(0);
  await rig.clock.advance(500);
  const again = await command(rig, "stop", { gateway: "a", transaction: "t1" });
  assert.equal(again?.status, "ok");
  await rig.clock.advance(2000);
  assert.match(rig.disk("gateway/a").get("gateway/a") ?? "", /"desired":"stopped"/);
});

test("P6: a retained command is ignored", async () => {
  const rig = await started();
  assert.equal(await command(rig, "stop", "a", { retain: true }), undefined);
  await rig.clock.advance(1000);
  assert.ok(rig.seen.filter(({ gateway }) => gateway === "a").length >= 2);
});

test("what is wrong is refused with a reply that says so", async () => {
  const rig = await started();
  const table: [string, unknown, string][] = [
    ["stop", "", "malformed"],
    ["stop", { gateway: "a", device: "d" }, "unknown_key"],
    ["stop", { gateway: "nobody" }, "gateway_unknown"],
    ["stop", { gateway: "off" }, "gateway_disabled"],
    ["stop", { gateway: ["a", "nobody"] }, "gateway_unknown"],
    ["stop", { gateway: "a", expiresAt: rig.clock.wall() - 1 }, "expired"],
    ["stop", {}, "gateway_required"],
    ["poll", { gateway: "a" }, "not_supported"],
    ["destroy", { gateway: "a" }, "unknown_verb"],
  ];
  for (const [verb, payload, code] of table) {
    const reply = await command(rig, verb, payload);
    assert.deepEqual([reply?.status, reply?.error?.code], ["error", code], JSON.stringify(payload));
  }
  await rig.clock.advance(1500);
  assert.doesNotMatch(rig.disk("gateway/a").get("gateway/a") ?? "", /stopped/);
});

test("a reply goes to the response topic with its correlation, and never to a topic of the node", async () => {
  const rig = await started();
  await command(rig, "status", "{}", { responseTopic: "answers/7", correlation: "0aff" });
  const [reply] = rig.broker.delivered.filter(({ topic }) => topic === "answers/7");
  assert.deepEqual([reply?.correlation, reply?.retain], ["0aff", false]);
  const before = rig.broker.delivered.length;
  for (const responseTopic of ["a/#", "$SYS/x", "polling/cmd/stop", "polling/health/a", ""]) {
    await command(rig, "status", "{}", { responseTopic });
  }
  const sent = rig.broker.delivered.slice(before).map(({ topic }) => topic);
  assert.deepEqual(
    sent.filter((topic) => topic !== "polling/readings/a/d"),
    [],
  );
});

test("status tells of the node and of the gateways asked for", async () => {
  const rig = await started();
  const reply = await command(rig, "status", { gateway: ["b"] });
  const data = reply?.data as { node: { node: string }; gateways: { gateway: string }[] };
  assert.equal(data.node.node, "plant-a");
  assert.deepEqual(
    data.gateways.map(({ gateway }) => gateway),
    ["b"],
  );
});

test("a command that waits behind 64 others is refused as busy", async () => {
  const rig = await started();
  rig.store.hold();
  const replies = Array.from({ length: 70 }, () => rig.engine.ask("stop", "a", "test"));
  rig.store.release();
  await rig.clock.advance(10);
  const codes = (await Promise.all(replies)).flatMap(({ error }) => error?.code ?? []);
  assert.deepEqual(
    codes,
    Array.from({ length: 6 }, () => "busy"),
  );
});

test("a disk that can't be read keeps no status back, and is no error in edgepoll itself", async () => {
  const rig = await started();
  rig.broker.away();
  await rig.clock.advance(60_000);
  // What waited before a start is on disk alone.
  await rig.stop();
  await rig.start();
  const failure = new StoreError("STORE_FAILED", "The disk failed, as told.");
  rig.store.range = () => Promise.reject(failure);
  // As the data of `status`, whatever happens to the disk.
  const { data } = (await rig.engine.ask("status", "{}", "test")) as unknown as {
    data: { node: { spool: { readings: number; oldest: number | null }; errors?: number } };
  };
  assert.ok(data.node.spool.readings > 0);
  assert.equal(data.node.spool.oldest, null);
  for (let n = 0; n < 4; n++) {
    const reply = (await rig.engine.ask("validate", "{}", "test")) as unknown as Reply;
    assert.equal(reply.error?.code, "store_failed");
  }
  const { data: after } = (await rig.engine.ask("status", "{}", "test")) as unknown as {
    data: { node: { errors?: number } };
  };
  assert.equal(after.node.errors ?? 0, 0);
});
