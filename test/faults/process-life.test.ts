/** The order of claim and poll, the end of a process in mid-poll, and an event loop that stands still. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { followMessages } from "../support/history-told.ts";
import { SyncedClaims } from "../support/claim-order.ts";
import { faultRow } from "../support/fault-row.ts";
import { startNode, type NodeProcess } from "../support/node-process.ts";
import { startNotifySocket } from "../support/notify-socket.ts";
import { buildShim, readRecord } from "../support/shim.ts";
import { createProcessRig, type ProcessRig } from "./process-rig.ts";

/** ms within which a process ends that was told to. */
const END = 15_000;

/** Ends a node; it must end with that code and in time. Settles with how long it took, s. */
async function ended(node: NodeProcess, code: number): Promise<string> {
  const began = performance.now();
  node.signal("SIGTERM");
  assert.equal((await node.exit).code, code, node.output());
  const taken = performance.now() - began;
  assert.ok(taken <= END, `it took ${taken.toFixed(0)} ms to end`);
  return `${(taken / 1000).toFixed(1)} s`;
}

faultRow(
  {
    id: "K3",
    fault: "the order of claim and poll",
    done: "a preloaded shim notes what is synced and when, 20 gateways are polled every 500 ms; the log of the database says where each claim ends, the slave when the first byte came",
    must: "the claim of every slot is synced before its first byte",
  },
  async (t) => {
    const rig = await createProcessRig(t, { gateways: 20, interval: 500, timeout: 1000 });
    const record = join(rig.files.config, "..", "record");
    const env = buildShim(t).environment(rig.files.stateDir, record);
    const node = startNode(t, rig.files, { env });
    await rig.polled(8);
    await ended(node, 0);
    const margins = marginsOf(rig, new SyncedClaims(readRecord(record)));
    assert.ok(margins.length >= 8 * rig.names.length, "few slots were seen");
    const least = Math.min(...margins);
    assert.ok(least > 0, `the claim came ${String(-least)} ms after the first byte`);
    return `${String(margins.length)} of ${String(margins.length)} slots, by ${least.toFixed(1)} ms at least`;
  },
);

/** ms between the sync of each slot's claim and its first byte at the slave. */
function marginsOf({ subscriber, slave, names }: ProcessRig, claims: SyncedClaims): number[] {
  const sent = new Map(
    slave.log().map(({ port, fc, serial, t }) => {
      return [`${names[slave.ports.indexOf(port)] ?? ""} ${String(fc)} ${String(serial)}`, t];
    }),
  );
  return followMessages({ messages: subscriber.log }).messages.flatMap((message) => {
    const { gateway, epoch, from, serials } = message;
    const first = sent.get(`${gateway} 3 ${String(serials.get(3))}`);
    if (first === undefined) return [];
    const synced = claims.syncedAt(`${gateway}@500`, epoch, from);
    assert.ok(synced !== undefined, `no claim of ${gateway} ${String(from)} is in the log`);
    return [Number(first) / 1e6 - synced];
  });
}

/** A node of two gateways with a request of each in flight: one is answered after 2 s, the other never. */
async function inFlight(t: TestContext): Promise<{ rig: ProcessRig; node: NodeProcess }> {
  // Due together: neither is past its first request when the other has it.
  const keys = { gateways: 2, interval: 5000, timeout: 10_000, phase: "0s" };
  const rig = await createProcessRig(t, keys);
  const [slow = 0, silent = 0] = rig.slave.ports;
  await rig.slave.fault(slow, { kind: "delay", ms: 2000 });
  await rig.slave.fault(silent, { kind: "silent" });
  const node = startNode(t, rig.files);
  await Promise.all([slow, silent].map((port) => rig.slave.received(port, 1)));
  return { rig, node };
}

faultRow(
  {
    id: "K11a",
    fault: "SIGTERM with requests in flight",
    done: "one device answers after 2 s, one never, with a time-out of 10 s and polls of three requests; SIGTERM when both have a request",
    must: "the requests in flight end, no other is sent, the slots have an outcome and none is unknown; it ends with 0 within 15 s",
  },
  async (t) => {
    const { rig, node } = await inFlight(t);
    const taken = await ended(node, 0);
    const { violations, counts, window } = await rig.verdict({ outputs: [node.output()] });
    assert.deepEqual(violations, [], window);
    assert.deepEqual([counts.requests, counts.unknown], [2, 0]);
    const outcomes = followMessages({ messages: rig.subscriber.log }).messages;
    return `${outcomes.map(({ gateway, outcome }) => `${gateway} ${outcome}`).join(", ")}; 2 requests, none unknown, ended after ${taken}`;
  },
  120_000,
);

faultRow(
  {
    id: "K11b",
    fault: "SIGTERM twice",
    done: "the same, with a second SIGTERM once the first is in the log, and then a new start",
    must: "the second ends it at once with 1; the open slots are unknown then, and nothing is sent twice",
  },
  async (t) => {
    const { rig, node } = await inFlight(t);
    node.signal("SIGTERM");
    await node.said(/"msg":"ending"/);
    const taken = await ended(node, 1);
    for (const port of rig.slave.ports) await rig.slave.fault(port, { kind: "normal" });
    const next = startNode(t, rig.files);
    await next.started;
    const last = await ended(next, 0);
    const outputs = [node.output(), next.output()];
    const { violations, counts, window } = await rig.verdict({ kills: 1, outputs });
    assert.deepEqual(violations, [], window);
    assert.deepEqual([counts.unknown, counts.twice], [2, 0]);
    return `ended after ${taken}; 2 slots unknown, none twice; the next start ended after ${last}`;
  },
  120_000,
);

faultRow(
  {
    id: "K11c",
    fault: "SIGTERM in mid-replay",
    done: "ten gateways are polled every 100 ms for 30 slots without a broker; SIGTERM when the first of what waited arrives, and then a new start",
    must: "it ends with 0 within 15 s; every reading comes, in order, and no slot is unknown",
  },
  async (t) => {
    const rig = await createProcessRig(t, { gateways: 10, interval: 100, timeout: 100 });
    const node = startNode(t, rig.files);
    await rig.polled(1);
    await rig.broker.stop();
    await Promise.all(
      rig.slave.ports.map((port) => rig.slave.received(port, rig.slave.log(port).length + 90)),
    );
    const from = rig.subscriber.log.length;
    await rig.broker.restart();
    const isReplayed = ({ payload }: { payload: string }): boolean =>
      payload.endsWith('"replayed":true}');
    await rig.subscriber.first("the replay", isReplayed, from);
    const taken = await ended(node, 0);
    const next = startNode(t, rig.files);
    await next.started;
    await rig.polled(1);
    await ended(next, 0);
    const outputs = [node.output(), next.output()];
    const { violations, counts, window } = await rig.verdict({ outputs });
    assert.deepEqual(violations, [], window);
    assert.equal(counts.unknown, 0);
    const { readings, missed } = counts;
    return `ended after ${taken}; ${String(readings)} readings, ${String(missed)} slots missed while it was down, none lost or unknown`;
  },
  120_000,
);

faultRow(
  {
    id: "K13a",
    fault: "the event loop stands still",
    done: "the loop of the process is stopped for 0.2, 2 and 20 s, with five gateways of 500 ms; a socket in the place of systemd wants a sign of life every 3 s, which the process gives by systemd-notify",
    must: "every slot is polled late or missed as late, and counted; none is polled twice; polled again within two intervals; no sign of life while it stands still, and again afterwards",
  },
  async (t) => {
    const rig = await createProcessRig(t, { gateways: 5, interval: 500, timeout: 400 });
    const manager = await startNotifySocket(t);
    const file = join(rig.files.config, "..", "stall");
    const module = fileURLToPath(new URL("../support/stall.js", import.meta.url));
    const env = { STALL_FILE: file, WATCHDOG_USEC: "3000000", ...manager.env };
    const node = startNode(t, rig.files, { env }, ["--import", module]);
    await manager.said("READY=1");
    await rig.polled(2);
    const healed: number[] = [];
    for (const length of [200, 2000, 20_000]) {
      writeFileSync(file, String(length));
      node.signal("SIGUSR2");
      await node.said(new RegExp(`stood still for ${String(length)} ms`));
      healed.push(Date.now());
      await manager.said("WATCHDOG=1", manager.notices.length);
      await rig.polled(5);
    }
    const signs = manager.notices.filter(({ word }) => word === "WATCHDOG=1");
    const end = endOfStall(node);
    // What was under way at its beginning may come a while later.
    assert.deepEqual(
      signs.filter(({ at }) => at > end - 10_000 && at < end),
      [],
    );
    await ended(node, 0);
    await manager.said("STOPPING=1");
    const { violations, counts, window } = await rig.verdict({ healed, outputs: [node.output()] });
    assert.deepEqual(violations, [], window);
    assert.ok(counts.missed >= 5 * (3 + 39) && counts.unknown === 0, JSON.stringify(counts));
    const { slots, readings, missed, twice } = counts;
    return `of ${String(slots)} slots ${String(readings)} polled, ${String(missed)} missed, ${String(twice)} twice, none unknown; ${String(signs.length)} signs of life, none in the last 10 s of the 20`;
  },
  180_000,
);

/** When the loop went on that had stood still for 20 s, wall time in ms. */
function endOfStall(node: NodeProcess): number {
  const [, end] = /stood still for 20000 ms until (\d+)/.exec(node.output()) ?? [];
  return Number(end);
}
