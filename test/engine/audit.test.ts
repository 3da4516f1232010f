/** The audit of a ledger: what is left over is found, and cleaning it leaves an account that holds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Audit } from "../../src/core/audit.ts";
import type { Reply } from "../../src/core/command.ts";
import { keys } from "../../src/core/records.ts";
import type { Store } from "../../src/core/ports.ts";
import { Leftovers } from "../../src/engine/leftovers.ts";
import { validateStore } from "../../src/engine/validate.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { NO_LOOKS } from "../support/no-looks.ts";
import { claimOf, eventsOf, outcomesOf } from "./reading.ts";
import { Rig } from "./rig.ts";

const one = { id: "one", devices: { d: [1000] }, phase: 0 };
const two = { id: "two", devices: { d: [1000] }, phase: 0 };

async function audited(rig: Rig, payload: object = {}): Promise<Audit> {
  const asked = rig.engine.ask("audit", JSON.stringify(payload), "test");
  const reply = await advancing(rig, asked);
  assert.equal(reply.status, "ok", JSON.stringify(reply.error));
  // The data of a reply to `audit`.
  return reply.data as Audit;
}

/** Lets time pass until the work is done. */
async function advancing<T>(rig: Rig, work: Promise<T>): Promise<T> {
  const state: { done: boolean } = { done: false };
  const watched = work.finally(() => (state.done = true));
  for (let i = 0; i < 2000 && !state.done; i++) await rig.clock.advance(5);
  return watched;
}

async function findingsOf(store: Store): Promise<unknown> {
  const world = { store, pause: () => Promise.resolve() };
  return (await validateStore(world, { since: 0 })).validation.findings;
}

/** A node that polled two gateways, and was started again with one of them. */
async function withoutTwo(rig = new Rig({ gateways: [one, two] })): Promise<Rig> {
  await rig.start();
  await rig.clock.advance(5000);
  await rig.stop();
  rig.parts = { gateways: [one] };
  await rig.start();
  await rig.clock.advance(1000);
  return rig;
}

test("where nothing is left over, nothing is found", async () => {
  const rig = new Rig({ gateways: [one, two] });
  await rig.start();
  await rig.clock.advance(3000);
  const audit = await audited(rig, { clean: true });
  assert.deepEqual([audit.findings, audit.removed, audit.unseen], [[], [], []]);
  assert.ok(!eventsOf(rig).includes("audit-cleaned"));
});

test("a closed schedule is found; cleaned, it is on the audit trail and the ledger holds", async () => {
  const rig = await withoutTwo();
  const [finding] = (await audited(rig)).findings;
  assert.deepEqual([finding?.kind, finding?.where], ["closed-schedule", "two@1000"]);
  assert.ok(rig.disk("outcome/two").size >= 5);
  const { findings, removed } = await audited(rig, { clean: true });
  assert.deepEqual(findings, []);
  assert.match(removed[0]?.text ?? "", /^account of two@1s: \d+ slots of epoch \d+ \(good \d, /);
  assert.deepEqual(eventsOf(rig).slice(-1), ["audit-cleaned"]);
  const left = rig.store.dump().filter(({ key }) => key.includes("two"));
  assert.deepEqual(
    left.map(({ key }) => key),
    ["gone/two@1000"],
  );
  await rig.clock.advance(3000);
  assert.deepEqual((await audited(rig, { clean: true })).removed, []);
  await rig.stop();
  assert.deepEqual(await findingsOf(rig.store), []);
});

test("cut off anywhere, cleaning leaves an account that holds, and is taken up again", async () => {
  const rig = await withoutTwo();
  const before = rig.store.dump();
  await rig.stop();
  const states = new Set<string>();
  for (let cut = 0; cut < 12; cut++) {
    const again = new Rig({ gateways: [one] });
    again.store = createMemoryStore(before);
    await again.start();
    void again.engine.ask("audit", '{"clean":true}', "test");
    await again.clock.advance(cut);
    again.crash({});
    assert.deepEqual(await findingsOf(again.store), [], String(cut));
    const left = (prefix: string) => String(again.disk(`${prefix}/two`).size > 0);
    states.add(`outcomes ${left("outcome")}, claim ${left("claim")}`);
  }
  assert.deepEqual([...states], ["outcomes false, claim true", "outcomes false, claim false"]);
});

test("readings of a gateway that is gone are delivered, not deleted", async () => {
  const rig = new Rig({ gateways: [one, two] });
  await rig.start();
  rig.broker.away();
  await rig.clock.advance(5000);
  await rig.stop();
  rig.parts = { gateways: [one] };
  rig.broker.connected = false;
  await rig.start();
  const waiting = rig.disk("spool/two/").size;
  assert.ok(waiting >= 5);
  const found = await audited(rig);
  assert.match(found.findings[0]?.text ?? "", /; \d+ messages of two still wait for the broker/);
  await audited(rig, { clean: true });
  assert.equal(rig.disk("spool/two/").size, waiting);
  rig.broker.back();
  await rig.clock.advance(5000);
  const seqs = rig.broker.on("polling/readings/two/d").map((text) => {
    const { seq }: { seq: number } = JSON.parse(text);
    return seq;
  });
  assert.deepEqual(seqs.slice(0, 5), [1, 2, 3, 4, 5]);
  assert.equal(rig.disk("spool/two/").size, 0);
});

test("a schedule that comes back after cleaning begins a new epoch, also with a clock that went back", async () => {
  const rig = await withoutTwo();
  const { epoch } = claimOf(rig, "two@1000");
  await audited(rig, { clean: true });
  await rig.stop();
  rig.clock.stepWall(-3_600_000);
  rig.parts = { gateways: [one, two] };
  await rig.start();
  await rig.clock.advance(5000);
  assert.ok(claimOf(rig, "two@1000").epoch > epoch);
  await rig.stop();
  assert.deepEqual(await findingsOf(rig.store), []);
});

test("an interval that changed leaves a closed schedule, and cleaning keeps what the gateway is told", async () => {
  const rig = new Rig({ gateways: [one] });
  await rig.start();
  await rig.clock.advance(3000);
  await advancing(rig, rig.engine.ask("stop", "one", "test"));
  await rig.stop();
  rig.parts = { gateways: [{ ...one, devices: { d: [2000] } }] };
  await rig.start();
  const { removed } = await audited(rig, { clean: true });
  assert.deepEqual(
    removed.map(({ where }) => where),
    ["one@1000"],
  );
  assert.match(rig.disk("gateway/").get("gateway/one") ?? "", /"desired":"stopped"/);
});

test("a gateway that is switched off in the configuration keeps what it has", async () => {
  const rig = await withoutTwo();
  await rig.stop();
  rig.parts = { gateways: [one], disabled: ["two"] };
  await rig.start();
  const audit = await audited(rig, { clean: true });
  assert.deepEqual([audit.findings, audit.removed], [[], []]);
});

test("without a node, claims of one that died and schedules that left since are orphaned", async () => {
  const rig = new Rig({ gateways: [one, two], claimAhead: 5000 });
  await rig.start();
  await rig.clock.advance(3500);
  rig.crash();
  const clock = rig.clock;
  const committer = { commit: () => Promise.reject(new Error("nothing is written")) };
  const leftovers = new Leftovers({ clock, store: rig.store, committer });
  const scope = { gateways: new Set<string>(), disabled: new Set<string>(), live: false };
  const told = async (schedules: ReadonlySet<string> | undefined) =>
    (await leftovers.find({ ...scope, schedules })).findings.map(({ text }) => text.slice(0, 34));
  const open = "one@1s: seq 5 to 6 are claimed and";
  assert.deepEqual(await told(new Set(["one@1000"])), [open, "two@1s is not in the configuration"]);
  const live = { ...scope, schedules: new Set(["one@1000", "two@1000"]), live: true };
  assert.deepEqual((await leftovers.find(live)).findings, []);
  await rig.start();
  await rig.stop();
  const after = new Leftovers({ clock, store: rig.store, committer });
  assert.deepEqual((await after.find({ ...scope, schedules: undefined })).findings, []);
});

test("slots of a run that began long before are not orphaned", async () => {
  // Both poll through one endpoint, which is busy with the first.
  const gateways = [one, two].map((each) => ({ ...each, endpoint: "one", timeout: 60_000 }));
  const rig = new Rig({ gateways, claimAhead: 3000 });
  rig.behave("one", { kind: "value", ms: 30_000 });
  await rig.start();
  await rig.clock.advance(8500);
  rig.crash();
  const outcomes = outcomesOf(rig, "two@1000");
  const { claimed, settled } = claimOf(rig, "two@1000");
  const last = Object.keys(outcomes).length;
  assert.deepEqual(new Set(Object.values(outcomes)), new Set(["busy"]));
  assert.ok(settled > 1 && last < claimed);
  const committer = { commit: () => Promise.reject(new Error("nothing is written")) };
  const leftovers = new Leftovers({ clock: rig.clock, store: rig.store, committer });
  const scope = { gateways: new Set<string>(), disabled: new Set<string>(), live: false };
  const { findings } = await leftovers.find({ ...scope, schedules: undefined });
  const [text = ""] = findings.flatMap((one) => (one.where === "two@1000" ? one.text : []));
  assert.match(text, new RegExp(`seq ${String(last + 1)} to ${String(claimed)} are claimed`));
});

test("retained topics of what is gone are found and cleared; another node's stay", async () => {
  const rig = new Rig({ gateways: [one] });
  await rig.start();
  const retain = (topic: string, payload: string) => {
    rig.broker.take({ topic: `polling/${topic}`, payload, qos: 1, retain: true });
  };
  retain("health/old", '{"node":"plant-a"}');
  retain("availability/old", "offline");
  retain("health/theirs", '{"node":"plant-b"}');
  const found = await audited(rig, { clean: true });
  assert.deepEqual(
    found.findings.map(({ kind, where }) => [kind, where]),
    [["other-node", "polling"]],
  );
  assert.deepEqual(
    found.removed.map(({ where }) => where),
    ["polling/health/old"],
  );
  assert.equal(rig.broker.retained("polling/health/old"), undefined);
  assert.equal(rig.broker.retained("polling/availability/old"), "offline");
  retain("health/theirs", "");
  const again = await audited(rig, { clean: true });
  assert.deepEqual(again.findings, []);
  assert.equal(rig.broker.retained("polling/availability/old"), undefined);
});

test("with a broker that is away, that is said and the rest is done", async () => {
  const rig = await withoutTwo();
  rig.broker.away();
  const audit = await audited(rig);
  assert.deepEqual(
    audit.findings.map(({ kind }) => kind),
    ["closed-schedule"],
  );
  assert.equal(audit.unseen[0]?.part, "broker");
});

test("answers to commands go when their time is over, and not before", async () => {
  const rig = new Rig({ gateways: [one] });
  await rig.start();
  await advancing(rig, rig.engine.ask("stop", '{"gateway":"one","transaction":"t"}', "test"));
  await rig.store.write([{ key: keys.command("old"), value: '{"at":0,"reply":"{}"}' }], true);
  const { removed } = await audited(rig, { clean: true });
  assert.deepEqual(
    removed.map(({ kind, text }) => [kind, text.slice(0, 10)]),
    [["expired-transaction", "1 answers "]],
  );
  assert.deepEqual([...rig.disk("command/").keys()], ["command/t"]);
});

test("as a command it answers on MQTT, acts once for a transaction, and refuses what is odd", async () => {
  const rig = await withoutTwo();
  const ask = (payload: object) => {
    rig.broker.command({ topic: "polling/cmd/audit", payload: JSON.stringify(payload) });
  };
  ask({ clean: true, transaction: "t" });
  ask({ clean: true, transaction: "t" });
  ask({ clean: "yes" });
  ask({ since: 1 });
  const replies = (): Reply[] =>
    // Replies are JSON objects.
    rig.broker.on("polling/reply/audit").map((text) => JSON.parse(text) as Reply);
  for (let i = 0; i < 2000 && replies().length < 4; i++) await rig.clock.advance(5);
  const byCode = (code?: string) => replies().filter(({ error }) => error?.code === code);
  const [first, second] = byCode();
  assert.deepEqual(first, second);
  // The data of a reply to `audit`.
  assert.equal((first?.data as Audit).removed.length, 1);
  assert.equal(eventsOf(rig).filter((kind) => kind === "audit-cleaned").length, 1);
  assert.deepEqual([byCode("malformed").length, byCode("unknown_key").length], [1, 1]);
});

test("a look that does not end holds up no other command, and no more audits than a few wait", async () => {
  const rig = new Rig({ gateways: [one] });
  await rig.start();
  let end: () => void = () => undefined;
  rig.looks = {
    ...NO_LOOKS,
    files: () =>
      new Promise(
        (resolve) =>
          (end = () => {
            resolve([]);
          }),
      ),
  };
  await rig.stop();
  await rig.start();
  const audits = Array.from({ length: 6 }, () => rig.engine.ask("audit", "{}", "test"));
  const stop = await advancing(rig, rig.engine.ask("stop", "one", "test"));
  assert.equal(stop.status, "ok");
  const refused = await Promise.all(audits.slice(4));
  assert.deepEqual(
    refused.map(({ error }) => error?.code),
    ["busy", "busy"],
  );
  for (let i = 0; i < 4; i++) {
    end();
    await rig.clock.advance(10);
  }
});
