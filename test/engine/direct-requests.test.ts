import assert from "node:assert/strict";
import test from "node:test";
import { UnavailableError } from "../../src/core/errors.ts";
import type { Answer, Link, ReadRequest } from "../../src/core/ports.ts";
import { DirectRequests, type DirectWorld } from "../../src/engine/direct-requests.ts";
import { Lane } from "../../src/engine/lane.ts";

const REQUEST = { unitId: 1, table: "holding", address: 7, count: 2, timeout: 500 } as const;

/** Direct reads to one gateway whose link answers when it is told to. */
function rig() {
  const lane = new Lane();
  const asked: { request: ReadRequest; answer: (answer: Answer) => void }[] = [];
  const link: Link = {
    read: (request) => new Promise((answer) => asked.push({ request, answer })),
    write: () => Promise.reject(new Error("nothing is written here")),
    release: () => undefined,
    close: () => Promise.resolve(),
  };
  const running = { gateway: { id: "hall" }, schedules: [{ lane, link, interval: 1000 }] };
  const parts = {
    clock: { elapsed: () => 0 },
    gateways: { all: [running] },
    endpoint: () => ({ key: "10.0.0.5:502", link }),
  };
  // Only these parts of the world are used.
  const reads = new DirectRequests(parts as unknown as DirectWorld);
  return { lane, asked, reads };
}

const GOOD: Answer = { ok: true, words: Uint16Array.of(1, 2), sentAt: 10, endedAt: 21.26 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a direct read waits for the lane, and the lane waits for it", async () => {
  const { lane, asked, reads } = rig();
  const poll = lane.enter(0, 1000, () => undefined);
  const answer = reads.read({ ...REQUEST, gateway: "hall" });
  await turn();
  assert.equal(asked.length, 0, "a request of a poll is in flight");
  poll.leave();
  await turn();
  assert.equal(asked.length, 1);
  const next = lane.enter(0, 1000, () => undefined);
  assert.equal(next.granted, false);
  asked[0]?.answer(GOOD);
  assert.deepEqual(await answer, { ok: true, words: [1, 2], rtt: 11.3 });
  assert.equal(next.granted, true);
});

test("a failed read gives the lane back and says what happened", async () => {
  const { lane, asked, reads } = rig();
  const answer = reads.read({ ...REQUEST, endpoint: "10.0.0.5:502" });
  await turn();
  const failed = {
    ok: false,
    reason: "exception",
    exception: 2,
    detail: "no",
    endedAt: 1,
  } as const;
  asked[0]?.answer({ ...failed, sentAt: 0 });
  const { endedAt: _, ...told } = failed;
  assert.deepEqual(await answer, told);
  assert.equal(lane.enter(0, 1000, () => undefined).granted, true);
});

test("an endpoint that is not the node's, and more reads than may wait, are refused", async () => {
  const { lane, reads } = rig();
  await assert.rejects(reads.read({ ...REQUEST, endpoint: "10.0.0.6:502" }), UnavailableError);
  lane.enter(0, 1000, () => undefined);
  for (let i = 0; i < 16; i++) void reads.read({ ...REQUEST, gateway: "hall" });
  await assert.rejects(reads.read({ ...REQUEST, gateway: "hall" }), /Too many requests wait/);
});
