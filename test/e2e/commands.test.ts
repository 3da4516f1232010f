/** Commands over MQTT, with either broker: one suite for both. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { followMessages } from "../support/history-told.ts";
import { jsonOf } from "../support/subscriber.ts";
import { createPlant, type Plant, type Reply } from "./plant.ts";
import type { SeenHealth } from "./site.ts";

const RUNNING = "running, running";
const STOPPED = "stopped, stopped";
const ALL_RUNNING = { one: RUNNING, two: RUNNING, three: RUNNING };
const ALL_STOPPED = { one: STOPPED, two: STOPPED, three: STOPPED };

for (const kind of ["external", "embedded"] as const) {
  test(`commands over the ${kind} broker`, { timeout: 120_000 }, async (t) => {
    const plant = await createPlant(t, kind);
    await plant.start();
    await plant.polled("three", 2);
    t.beforeEach(async () => {
      const { status } = await plant.ask("start", { gateway: "*" });
      assert.equal(status, "ok");
    });
    await whatCommandsDo(t, plant);
    await whatLasts(t, plant);
    await whatIsRefused(t, plant);
    if (kind === "external") await answersElsewhere(t, plant);
  });
}

async function whatCommandsDo(t: TestContext, plant: Plant): Promise<void> {
  await t.test(
    "P7: stop ends the polling of one gateway, and start takes it up again",
    async () => {
      const stopped = await plant.ask("stop", { gateway: "one" });
      assert.deepEqual(stopped, answer([changed("one", "stopped")]));
      // A request in flight may still arrive.
      await plant.polled("two", 1);
      const before = plant.polls("one");
      const from = plant.subscriber.log.length;
      await plant.polled("two", 4);
      assert.equal(plant.polls("one"), before, "a stopped gateway is polled");
      assert.deepEqual(await plant.states(), { ...ALL_RUNNING, one: STOPPED });
      const started = await plant.ask("start", "one");
      assert.deepEqual(started, answer([changed("one", "running")]));
      const reading = (topic: string): boolean => topic === "polling/readings/one/unit";
      await plant.subscriber.first("a reading", ({ topic }) => reading(topic), from);
      const own = plant.subscriber.log.filter(({ topic }) => topic.includes("/one"));
      const { messages } = followMessages({ messages: own });
      const gap = messages.findLast(({ outcome }) => outcome === "missed:stopped");
      assert.ok(
        gap !== undefined && gap.to - gap.from >= 3,
        "the slots between are told as stopped",
      );
      await plant.polled("one", 2);
    },
  );

  await t.test("P7: a stopped gateway is offline and says so until it is started", async () => {
    const says = (payload: string): Promise<void> =>
      plant.subscriber.until(`availability ${payload}`, (log) =>
        ["polling/availability/one", "polling/availability/one/unit"].every(
          (topic) => log.findLast((each) => each.topic === topic)?.payload === payload,
        ),
      );
    await says("online");
    await plant.ask("stop", { gateway: "one" });
    await says("offline");
    await plant.ask("start", { gateway: "one" });
    await says("online");
  });

  await t.test("stop and start take several gateways, and all", async () => {
    const several = await plant.ask("stop", { gateway: ["one", "three"] });
    assert.deepEqual(several, answer([changed("one", "stopped"), changed("three", "stopped")]));
    assert.deepEqual(await plant.states(), { ...ALL_STOPPED, two: RUNNING });
    await plant.ask("stop", { gateway: "*" });
    assert.deepEqual(await plant.states(), ALL_STOPPED);
    await plant.ask("start", { gateway: ["one", "three"] });
    assert.deepEqual(await plant.states(), { ...ALL_RUNNING, two: STOPPED });
    await plant.ask("start", { gateway: "*" });
    await Promise.all([plant.polled("one", 2), plant.polled("two", 2), plant.polled("three", 2)]);
  });

  await t.test("status holds what the health topics hold", async () => {
    const { data } = await plant.ask("status", { gateway: "two" });
    // The data of `status`.
    const { node, gateways } = data as { node: object; gateways: SeenHealth[] };
    const [health = {}] = gateways;
    assert.equal(gateways.length, 1);
    const told = await plant.subscriber.first(
      "health",
      (each) => each.topic === "polling/health/two",
    );
    assert.deepEqual(Object.keys(health), Object.keys(jsonOf<object>(told)));
    const own = await plant.subscriber.first(
      "health",
      (each) => each.topic === "polling/node/health",
    );
    assert.deepEqual(Object.keys(node), Object.keys(jsonOf<object>(own)));
    const everything = await plant.ask("status", {});
    assert.equal((everything.data as { gateways: unknown[] }).gateways.length, 3); // as above
  });
}

async function whatLasts(t: TestContext, plant: Plant): Promise<void> {
  await t.test("P6: what was commanded lasts over a restart and a kill", async () => {
    await plant.ask("stop", { gateway: "one" });
    await plant.node.stop();
    await plant.start();
    await plant.polled("two", 2);
    assert.deepEqual(await plant.states(), { ...ALL_RUNNING, one: STOPPED });
    await plant.ask("stop", { gateway: "two" });
    await plant.node.kill();
    await plant.start();
    const before = [plant.polls("one"), plant.polls("two")];
    await plant.polled("three", 3);
    assert.deepEqual([plant.polls("one"), plant.polls("two")], before);
    assert.deepEqual(await plant.states(), { ...ALL_STOPPED, three: RUNNING });
    await plant.ask("start", { gateway: ["one", "two"] });
    await plant.node.kill();
    await plant.start();
    await Promise.all([plant.polled("one", 2), plant.polled("two", 2)]);
    assert.deepEqual(await plant.states(), ALL_RUNNING);
  });

  await t.test("P6: a transaction is answered again and not carried out again", async () => {
    const command = { gateway: "one", transaction: "once" };
    const first = await plant.ask("stop", command);
    assert.deepEqual(first, { ...answer([changed("one", "stopped")]), transaction: "once" });
    await plant.ask("start", { gateway: "one" });
    assert.deepEqual(await plant.ask("stop", command), first);
    assert.deepEqual(await plant.states(), ALL_RUNNING);
    for (const end of [() => plant.node.stop(), () => plant.node.kill()]) {
      await end();
      await plant.start();
      assert.deepEqual(await plant.ask("stop", command), first);
      assert.deepEqual(await plant.states(), ALL_RUNNING);
    }
  });
}

async function whatIsRefused(t: TestContext, plant: Plant): Promise<void> {
  await t.test("P6: a retained command is ignored", async () => {
    const from = plant.subscriber.log.length;
    await plant.send("stop", { gateway: "*" }, { retain: true });
    assert.deepEqual(await plant.states(), ALL_RUNNING);
    await plant.node.stop();
    await plant.start();
    await plant.polled("one", 2);
    assert.deepEqual(await plant.states(), ALL_RUNNING);
    await plant.send("stop", "", { retain: true });
    assert.deepEqual(await plant.states(), ALL_RUNNING);
    const replies = plant.subscriber.log.slice(from).map(({ topic }) => topic);
    assert.ok(!replies.includes("polling/reply/stop"));
  });

  await t.test("P6: a command that has expired is refused", async () => {
    const { error } = await plant.ask("stop", { gateway: "one", expiresAt: Date.now() - 1 });
    assert.equal(error?.code, "expired");
    assert.deepEqual(await plant.states(), ALL_RUNNING);
    const { status } = await plant.ask("stop", { gateway: "one", expiresAt: Date.now() + 60_000 });
    assert.equal(status, "ok");
  });

  for (const [what, verb, payload, code] of [
    ["an empty payload", "stop", "", "malformed"],
    ["a payload that is no JSON", "stop", "{", "malformed"],
    ["an unknown key", "stop", { gateway: "one", force: true }, "unknown_key"],
    ["no gateway", "stop", {}, "gateway_required"],
    [
      "an unknown gateway among known ones",
      "stop",
      { gateway: ["one", "four"] },
      "gateway_unknown",
    ],
    ["an unknown verb", "launch", { gateway: "one" }, "unknown_verb"],
  ] as const) {
    await t.test(`${what} is refused with a reply, and nothing is stopped`, async () => {
      const { status, error } = await plant.ask(verb, payload);
      assert.equal(status, "error");
      assert.equal(error?.code, code);
      assert.deepEqual(await plant.states(), ALL_RUNNING);
    });
  }
}

async function answersElsewhere(t: TestContext, plant: Plant): Promise<void> {
  await t.test("a reply goes to the response topic with the correlation data", async () => {
    const from = plant.subscriber.log.length;
    const options = { responseTopic: "desk/7", correlation: "abc123" };
    await plant.send("status", { transaction: "t7" }, options);
    const reply = await plant.reply("desk/7", from);
    assert.equal(reply.correlation, "abc123");
    const { status, transaction } = jsonOf<Reply>(reply);
    assert.deepEqual({ status, transaction }, { status: "ok", transaction: "t7" });
    await plant.ask("status", {});
    const usual = plant.subscriber.log.slice(from);
    const replies = usual.filter(({ topic }) => topic === "polling/reply/status");
    assert.equal(replies.length, 1, "no second reply on the usual topic");
  });

  await t.test("no reply is written over the topics of a node", async () => {
    const from = plant.subscriber.log.length;
    const responseTopic = "polling/readings/one/unit";
    await plant.send("status", {}, { responseTopic });
    await plant.ask("status", {});
    const own = plant.subscriber.log.slice(from).filter(({ topic }) => topic === responseTopic);
    assert.deepEqual(
      own.filter(({ payload }) => payload.includes('"status"')),
      [],
    );
  });
}

function changed(gateway: string, desired: string): object {
  return { gateway, state: desired, desired, open: [] };
}

function answer(gateways: object[]): object {
  return { node: "plant", status: "ok", data: { gateways } };
}
