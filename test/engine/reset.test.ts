/** A reset: what it drops is counted and told, and nothing is polled twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Age } from "../../src/engine/age.ts";
import { Committer } from "../../src/engine/committer.ts";
import { resetGateways } from "../../src/engine/reset.ts";
import { Spool } from "../../src/engine/spool.ts";
import { validateStore } from "../../src/engine/validate.ts";
import { claimOf, toldOn, type Message } from "./reading.ts";
import { Rig } from "./rig.ts";

const GATEWAYS = [
  { id: "a", devices: { d: [1000] }, phase: 0 },
  { id: "b", devices: { d: [1000] }, phase: 500 },
];
const LOG = {
  ...{ debug: () => undefined, info: () => undefined },
  ...{ warn: () => undefined, error: () => undefined },
};

async function reset(rig: Rig, gateways: readonly string[]) {
  const { clock, store } = rig;
  const spool = new Spool(store, LOG, new Age(clock));
  await spool.load();
  const committer = new Committer(store, clock, LOG);
  const work = resetGateways({ node: "plant-a", clock, store, committer, spool }, gateways);
  // Removing gives others their turn by a timer.
  await rig.clock.advance(300);
  return work;
}

/** Seqs of an epoch as they were told, those of gaps one by one. */
function seqsTold(messages: readonly Message[], epoch: number): number[] {
  const seqs = messages
    .filter((one) => one.epoch === epoch)
    .flatMap(({ seq, from = seq ?? 0, to = from }) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i),
    );
  return [...new Set(seqs)].sort((a, b) => a - b);
}

test("P1 P2 P3: a reset drops, counts and names; the old epoch is told to its end, the new one begins a full interval away", async () => {
  const rig = new Rig({ gateways: GATEWAYS });
  await rig.start();
  await rig.clock.advance(10_000);
  rig.broker.away();
  await rig.clock.advance(20_000);
  rig.crash();
  await rig.clock.advance(5000);
  const { epoch } = claimOf(rig, "a@1000");
  const other = claimOf(rig, "b@1000");
  const counts = await reset(rig, ["a"]);
  const at = rig.clock.wall();
  assert.equal(counts.claims, 1);
  assert.ok(counts.outcomes >= 29 && counts.readings >= 19, JSON.stringify(counts));
  assert.equal(rig.disk("outcome/a@1000/").size, 0);
  assert.deepEqual(claimOf(rig, "b@1000"), other, "the other gateway is left alone");
  const world = { store: rig.store, pause: () => Promise.resolve() };
  assert.deepEqual((await validateStore(world, { since: 0 })).validation.findings, []);

  rig.broker.back();
  await rig.start();
  await rig.clock.advance(5000);
  const messages = [...toldOn(rig, "readings/a/d"), ...toldOn(rig, "gaps/a")];
  const old = seqsTold(messages, epoch);
  assert.deepEqual(
    old,
    old.map((_, i) => i + 1),
    "every seq of the old epoch is told",
  );
  assert.ok(old.length >= 34, `${String(old.length)}, those while it was away included`);
  const gone = messages.filter(({ outcome }) => outcome === "dropped");
  assert.ok(gone.length > 0 && gone.every(({ reason }) => reason === "reset"));
  const fresh = toldOn(rig, "readings/a/d").filter((one) => one.epoch > epoch);
  assert.equal(fresh[0]?.seq, 1);
  assert.ok((fresh[0].slot ?? 0) >= at - 300 + 1000, "a full interval away");
  const slots = rig.seen.filter(({ gateway }) => gateway === "a").map(({ time }) => time);
  assert.equal(new Set(slots.map((time) => Math.round(time / 1000))).size, slots.length);
  await rig.stop();
  const after = { store: rig.store, pause: () => Promise.resolve() };
  assert.deepEqual((await validateStore(after, { since: 0 })).validation.findings, []);
});
