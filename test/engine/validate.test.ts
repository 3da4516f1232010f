/** The ledger is proved, and every kind of damage to it is found and named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeClaim, encodeClaim, encodePoll, encodeRun, keys } from "../../src/core/records.ts";
import type { Validation } from "../../src/core/validation.ts";
import { validateStore } from "../../src/engine/validate.ts";
import { createMemoryStore, type MemoryStore } from "../support/memory-store.ts";
import { claimOf } from "./reading.ts";
import { Rig } from "./rig.ts";

const A = "a@1000";
const SITE = {
  gateways: [
    { id: "a", devices: { d: [1000] }, phase: 0 },
    { id: "b", devices: { d: [5000] }, phase: 0 },
  ],
};

async function validated(store: MemoryStore, since = 0): Promise<Validation> {
  const world = { store, pause: () => Promise.resolve() };
  return (await validateStore(world, { since })).validation;
}

/** A night with a crash, a stop, a time of silence and readings that wait; the disk afterwards. */
async function roughNight(): Promise<{ rig: Rig; epoch: number }> {
  const rig = new Rig(SITE);
  await rig.start();
  await rig.clock.advance(20_000);
  rig.behave("b", { kind: "silent" });
  rig.crash();
  await rig.clock.advance(7000);
  await rig.start();
  await rig.engine.ask("stop", "a", "test");
  await rig.clock.advance(4000);
  await rig.engine.ask("start", "a", "test");
  rig.broker.away();
  await rig.clock.advance(80_000);
  const { epoch } = claimOf(rig, A);
  await rig.stop();
  return { rig, epoch };
}

test("a rough night is accounted for: the sum is right and nothing is found", async () => {
  const { rig } = await roughNight();
  const { schedules, findings, records } = await validated(rig.store);
  assert.deepEqual(findings, []);
  assert.ok(records > 100);
  const [a, b] = schedules;
  const { stopped = 0, down = 0 } = a?.missed ?? {};
  assert.ok(a !== undefined);
  assert.equal(a.due, a.good + stopped + down + a.unknown);
  assert.ok(stopped >= 3 && down >= 6);
  assert.equal(b?.interval, 5000);
  assert.ok(b.failed >= 9 && b.good >= 4 && (b.missed.disabled ?? 0) >= 3);
  assert.equal(a.worstGap?.reason, "down");
  assert.equal(a.worstGap.slots, down + a.unknown);
  assert.equal(a.worstGap.longest, down);
  assert.equal(a.late.p50, 0);
});

test("a node that ends before the first slot leaves nothing to be found", async () => {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [60_000] }, phase: 30_000 }] });
  await rig.start();
  await rig.clock.advance(2000);
  await rig.stop();
  assert.deepEqual((await validated(rig.store)).findings, []);
});

test("since counts the slots due from then on, and holds the rules to all", async () => {
  const { rig, epoch } = await roughNight();
  const since = rig.clock.wall() - 30_000;
  const [row] = (await validated(rig.store, since)).schedules;
  assert.equal(row?.due, 30);
  assert.equal(row.worstGap, null);
  const store = await damaged(rig, [{ key: keys.outcome(A, epoch, 5) }]);
  assert.equal((await validated(store, since)).findings.length, 1);
});

test("schedules that leave after some slots passed, come back and leave again have nothing to be found", async () => {
  const one = { id: "one", devices: { d: [1000] }, phase: 0 };
  const two = { id: "two", devices: { d: [1000] }, phase: 300 };
  const slower = { ...two, devices: { d: [2000] } };
  const rig = new Rig({ gateways: [one, two] });
  for (const gateways of [[one, two], [one], [one, two], [one, slower], [one]]) {
    rig.parts = { gateways };
    await rig.start();
    await rig.clock.advance(4000);
    await rig.stop();
    await rig.clock.advance(5500);
    assert.deepEqual((await validated(rig.store)).findings, []);
  }
});

/** A copy of the disk, changed. */
async function damaged(
  rig: Rig,
  writes: readonly { key: string; value?: string }[],
): Promise<MemoryStore> {
  const store = createMemoryStore(rig.store.dump());
  await store.write(writes, true);
  return store;
}

type Damage = (rig: Rig, epoch: number) => { key: string; value?: string }[];
const spoolNumber = (rig: Rig, n: number) => [...rig.disk("spool/a/").keys()][n] ?? "";

const DAMAGES: Readonly<Record<string, readonly [Damage, RegExp]>> = {
  "a record that is gone": [
    (_, epoch) => [{ key: keys.outcome(A, epoch, 5) }],
    /^hole: a@1s, epoch \d+: seq 5 has no outcome/,
  ],
  "several records that are gone": [
    (_, epoch) => [5, 6, 7].map((seq) => ({ key: keys.outcome(A, epoch, seq) })),
    /^hole: .* seq 5 to 7 have no outcome/,
  ],
  "the first record gone": [
    (_, epoch) => [{ key: keys.outcome(A, epoch, 1) }],
    /^hole: .* seq 1 has no outcome/,
  ],
  "the last record gone": [
    (rig) => [{ key: [...rig.disk(`outcome/${A}/`).keys()].at(-1) ?? "" }],
    /^hole: .* no outcome/,
  ],
  "all records gone": [
    (rig) => [...rig.disk(`outcome/${A}/`).keys()].map((key) => ({ key })),
    /^hole: .* seq 1 to \d+ have no outcome/,
  ],
  "a run over slots that have an outcome": [
    (_, epoch) => {
      const span = { from: 3, to: 6, slotFrom: 0, slotTo: 0, told: 6, untoldSlot: 0 };
      const run = { ...span, absence: { outcome: "missed", reason: "busy" } as const };
      return [{ key: keys.outcome(A, epoch, 3), value: encodeRun(run) }];
    },
    /^double: .* seq 4 has more than one outcome/,
  ],
  "an outcome that was changed": [
    (_, epoch) => [{ key: keys.outcome(A, epoch, 5), value: encodePoll("partial", 1) }],
    /^count: .* the account kept at seq \d+ says good \d+.*, its records say good \d+, partial 1/,
  ],
  "a count that was changed": [
    (rig) => {
      const text = rig.disk(keys.account(A)).get(keys.account(A)) ?? "";
      return [{ key: keys.account(A), value: text.replace(/"good":\d+/, '"good":7') }];
    },
    /^count: .* says good 7/,
  ],
  "a claim ahead of nothing": [
    (rig) => {
      const claim = claimOf(rig, A);
      const value = encodeClaim({ ...claim, claimed: claim.claimed + 100 });
      return [{ key: keys.claim(A), value }];
    },
    /^claim: .* have a claim and no outcome, more than can be open/,
  ],
  "a claim that went back": [
    (rig) => {
      const claim = decodeClaim(rig.disk(keys.claim(A)).get(keys.claim(A)) ?? "");
      const value = encodeClaim({ ...claim, claimed: claim.claimed - 3, settled: 0 });
      return [{ key: keys.claim(A), value }];
    },
    /^claim: .* have an outcome and no claim/,
  ],
  "a claim that is gone": [
    () => [{ key: keys.claim(A) }],
    /^no-next-slot: a@1s is meant to run and has no next slot: its claim is gone/,
  ],
  "a spooled message that is gone": [
    (rig) => [{ key: spoolNumber(rig, 1) }],
    /^spool: spool of a: number \d+ is missing/,
  ],
  "spooled messages that are gone": [
    (rig) => [10, 11, 12].map((n) => ({ key: spoolNumber(rig, n) })),
    /^spool: spool of a: numbers \d+ to \d+ are missing/,
  ],
  "a record that makes no sense": [
    (_, epoch) => [{ key: keys.outcome(A, epoch, 5), value: "?" }],
    /^damaged: The record "outcome\/a@1000\/\d+\/0*5" makes no sense/,
  ],
};

for (const [what, [damage, expected]] of Object.entries(DAMAGES)) {
  test(`found and named: ${what}`, async () => {
    const { rig, epoch } = await roughNight();
    const store = await damaged(rig, damage(rig, epoch));
    const { findings, schedules } = await validated(store);
    const told = findings.map(({ kind, text }) => `${kind}: ${text}`);
    assert.match(told.join("\n"), expected);
    for (const { next } of findings) assert.match(next, /^edgepoll /);
    const [row] = schedules;
    const sum = Object.values(row?.missed ?? {}).reduce((slots, n) => slots + n, 0);
    const { good = 0, partial = 0, failed = 0, unknown = 0, lost = 0 } = row ?? {};
    assert.equal(row?.due, good + partial + failed + unknown + sum + lost);
  });
}

test("a damaged record is repaired by a start; a node that runs has to end before", async () => {
  const { rig, epoch } = await roughNight();
  const store = await damaged(rig, [{ key: keys.outcome(A, epoch, 5), value: "?" }]);
  const nextOf = async (live: { live?: true }): Promise<string | undefined> => {
    const world = { store, pause: () => Promise.resolve(), ...live };
    const { findings } = (await validateStore(world, { since: 0 })).validation;
    return findings.find(({ kind }) => kind === "damaged")?.next;
  };
  assert.equal(await nextOf({}), "edgepoll start --repair");
  assert.equal(await nextOf({ live: true }), "edgepoll stop --node");
});

test("findings are bounded, and the rest is counted", async () => {
  const { rig } = await roughNight();
  const odd = [...rig.disk(`outcome/${A}/`).keys()].filter((_, n) => n % 2 === 1);
  const filler = Array.from({ length: 400 }, (_, n) => ({ key: keys.outcome(A, 9e9, 2 * n + 1) }));
  const value = encodePoll("good", 1);
  const store = await damaged(rig, [
    ...odd.map((key) => ({ key })),
    ...filler.map(({ key }) => ({ key, value })),
  ]);
  const { findings, more } = await validated(store);
  assert.equal(findings.length, 100);
  assert.ok(more > 300);
});

test("a node that runs answers from its own store, and is not kept from polling", async () => {
  const rig = new Rig(SITE);
  await rig.start();
  rig.behave("a", { kind: "value", ms: 400 });
  await rig.clock.advance(10_200);
  const reply = rig.engine.ask("validate", '{"gateway":"a"}', "test");
  await rig.clock.advance(5000);
  const { data } = (await reply) as { data: Validation };
  assert.deepEqual(data.findings, []);
  assert.deepEqual(
    data.schedules.map(({ gateway, open, good }) => [gateway, open, good]),
    [["a", 1, 10]],
  );
  assert.equal(rig.seen.filter(({ gateway }) => gateway === "a").length, 16);
  const since = await rig.engine.ask("validate", '{"since":"1h"}', "test");
  assert.equal(since.error?.code, "malformed");
  await rig.stop();
});

test("slots that are claimed and polled while the ledger is read are no finding", async () => {
  const rig = new Rig(SITE);
  await rig.start();
  await rig.clock.advance(600_000);
  const pause = () => rig.clock.advance(3000);
  const { validation } = await validateStore({ store: rig.store, pause }, { since: 0 });
  assert.deepEqual(validation.findings, []);
  await rig.stop();
});

test("a node looks every five minutes; what it finds is in its health and an event, and so is that it is gone", async () => {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [1000] }, phase: 0 }] });
  await rig.start();
  const events = () =>
    rig.broker
      .on("polling/node/events")
      .map((text) => JSON.parse(text) as { kind: string; text: string })
      .filter(({ kind }) => kind === "findings")
      .map(({ text }) => text);
  const findings = () => {
    const text = rig.broker.retained("polling/node/health") ?? "{}";
    return (JSON.parse(text) as { findings: number }).findings;
  };
  await rig.clock.advance(290_000);
  const key = keys.outcome(A, claimOf(rig, A).epoch, 50);
  const value = rig.disk(key).get(key) ?? "";
  await rig.store.write([{ key }], true);
  assert.deepEqual([findings(), events()], [0, []]);
  await rig.clock.advance(50_000);
  assert.equal(findings(), 1);
  assert.match(
    events()[0] ?? "",
    /^the ledger has 1 finding: a@1s, .*seq 50 has no outcome.*; edgepoll validate shows it$/,
  );
  await rig.clock.advance(300_000);
  assert.equal(events().length, 1, "it is told once");
  await rig.store.write([{ key, value }], true);
  await rig.clock.advance(350_000);
  assert.equal(findings(), 0);
  assert.equal(events()[1], "the ledger has no findings any more");
  await rig.stop();
});

test("what was proven is not read again until a day has passed; what is new is", async () => {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [10_000] }, phase: 0 }] });
  await rig.start();
  await rig.clock.advance(900_000);
  const { epoch } = claimOf(rig, "a@10000");
  let read = 0;
  const { range } = rig.store;
  rig.store.range = (wanted) => {
    if (wanted.from.startsWith("outcome/a@10000/") && wanted.reverse !== true)
      read += wanted.from > keys.outcome("a@10000", epoch, 30) ? 1 : 1000;
    return range.call(rig.store, wanted);
  };
  await rig.clock.advance(310_000);
  assert.ok(read > 0 && read < 1000, `read ${String(read)}`);
  rig.store.range = range;
  await rig.store.write([{ key: keys.outcome("a@10000", epoch, 118) }], true);
  await rig.clock.advance(310_000);
  const health = rig.broker.retained("polling/node/health") ?? "{}";
  assert.equal((JSON.parse(health) as { findings: number }).findings, 1);
  await rig.stop();
});

test("of a spool that waits for long, a look reads what came since the one before; a hole in it is found", async () => {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [1000] }, phase: 0 }] });
  await rig.start();
  rig.broker.away();
  await rig.clock.advance(900_000);
  let read = 0;
  const { range } = rig.store;
  rig.store.range = async (wanted) => {
    const found = await range.call(rig.store, wanted);
    if (wanted.from.startsWith("spool/a/")) read += found.length;
    return found;
  };
  await rig.clock.advance(310_000);
  assert.ok(read >= 250 && read < 700, `read ${String(read)} of ${String(spooled(rig))}`);
  const validation = rig.engine.ask("validate", "{}", "test");
  await rig.clock.advance(10_000);
  await validation;
  assert.ok(read > 1200, "a command reads all of it");
  const last = spoolNumber(rig, spooled(rig) - 1);
  await rig.clock.advance(100_000);
  await rig.store.write([{ key: spoolNumber(rig, spooled(rig) - 50) }], true);
  rig.store.range = range;
  await rig.clock.advance(310_000);
  assert.notEqual(rig.disk("spool/a/").get(last), undefined);
  const health = rig.broker.retained("polling/node/health") ?? "{}";
  assert.equal((JSON.parse(health) as { findings: number }).findings, 0, "the broker is away");
  const status = await rig.engine.ask("status", "{}", "test");
  assert.equal((status.data as { node: { findings: number } }).node.findings, 1);
  await rig.stop();
});

function spooled(rig: Rig): number {
  return rig.disk("spool/a/").size;
}
