import assert from "node:assert/strict";
import dns from "node:dns";
import { after, before, beforeEach, test } from "node:test";
import type { Fault, Slave } from "../support/slave.ts";
import {
  failureOf,
  holding,
  MAX_BACKOFF,
  openLink,
  startTestSlave,
  TIMEOUT,
  watchSockets,
  wordsOf,
} from "./rig.ts";

const CLOSED = "connection closed by the device before it answered";

let slave: Slave;
let port: number;
/** Requests the slave had received when the test began. */
let earlier: number;
/** Connections the slave had accepted when the test began. */
let earlierConnections: number;

before(async () => {
  slave = await startTestSlave(1);
  port = slave.ports[0] ?? 0;
});
after(() => slave.stop());
beforeEach(async () => {
  await slave.fault(port, { kind: "normal" });
  earlier = slave.log().length;
  earlierConnections = opened(0);
});

/** Connections accepted since the first `skip`. */
function opened(skip = earlierConnections): number {
  return slave.connections(port).filter((line) => line.event === "open").length - skip;
}

/** Connections that carried this test's requests, one entry a request. */
function connectionsUsed(): number[] {
  return slave
    .log()
    .slice(earlier)
    .map((line) => line.conn);
}

test("reads all four tables", async (t) => {
  const { link } = openLink(t, port);
  const read = async (table: "coil" | "discrete" | "holding" | "input", address: number) =>
    wordsOf(await link.read({ unitId: 9, table, address, count: 10 }, TIMEOUT));
  assert.deepEqual(await read("coil", 3), [1, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
  assert.deepEqual(await read("discrete", 3), [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]);
  assert.deepEqual(await read("holding", 100), [100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
  assert.deepEqual(
    await read("input", 65526),
    Array.from({ length: 10 }, (_, n) => 65526 + n),
  );
  const log = slave.log().slice(earlier);
  assert.deepEqual(
    log.map((line) => [line.fc, line.unit, line.address, line.count]),
    [
      [1, 9, 3, 10],
      [2, 9, 3, 10],
      [3, 9, 100, 10],
      [4, 9, 65526, 10],
    ],
  );
});

test("reads as much as a frame can carry", async (t) => {
  const { link } = openLink(t, port);
  assert.equal(wordsOf(await link.read(holding(2, 125), TIMEOUT)).at(-1), 126);
  const bits = { unitId: 1, table: "coil", address: 0, count: 2000 } as const;
  assert.equal(wordsOf(await link.read(bits, TIMEOUT)).filter((bit) => bit === 1).length, 667);
});

test("an answer carries when its request was sent and when it was complete", async (t) => {
  const { link, clock } = openLink(t, port);
  const start = clock.elapsed();
  await slave.fault(port, { kind: "hold" });
  const reading = link.read(holding(5), TIMEOUT);
  await slave.received(port, earlier + 1);
  await clock.advance(7);
  await slave.fault(port, { kind: "silent" });
  const answer = await reading;
  assert.deepEqual([answer.ok, answer.sentAt, answer.endedAt], [true, start, start + 7]);
  const silence = link.read(holding(6), TIMEOUT);
  await slave.received(port, earlier + 2);
  await clock.advance(TIMEOUT + 10);
  const failure = await silence;
  assert.deepEqual([failure.sentAt, failure.endedAt], [start + 7, start + 7 + TIMEOUT]);
});

test("a late answer is never taken for the next request", async (t) => {
  const { link, clock } = openLink(t, port);
  await slave.fault(port, { kind: "hold" });
  const first = link.read(holding(11), TIMEOUT);
  await slave.received(port, earlier + 1);
  await clock.advance(TIMEOUT);
  assert.deepEqual(failureOf(await first), {
    reason: "timeout",
    detail: "no answer within 300 ms",
  });
  const second = link.read(holding(22), TIMEOUT);
  await slave.received(port, earlier + 2);
  // Now both are answered, the first one on the connection of the second.
  await slave.fault(port, { kind: "normal" });
  const failure = failureOf(await second);
  assert.equal(failure.reason, "bad_frame");
  assert.match(failure.detail, /^transaction id \d+ instead of \d+$/);
  assert.deepEqual(wordsOf(await link.read(holding(33), TIMEOUT)), [33]);
  const [tid1, tid2] = slave
    .log()
    .slice(earlier)
    .map((line) => line.tid);
  assert.equal(tid2, ((tid1 ?? 0) + 1) & 0xffff);
});

const WRONG: [Fault, RegExp][] = [
  [{ kind: "wrong-tid" }, /^transaction id \d+ instead of \d+$/],
  [{ kind: "wrong-protocol" }, /^protocol id 48879 instead of 0$/],
  [{ kind: "wrong-unit" }, /^unit id 2 instead of 1$/],
  [{ kind: "wrong-function" }, /^function 4 instead of 3$/],
  [{ kind: "wrong-bytecount" }, /^byte count 2 instead of 4$/],
  [{ kind: "extra" }, /^20 bytes left over behind the answer$/],
  [{ kind: "duplicate" }, /^13 bytes left over behind the answer$/],
  [{ kind: "garbage" }, /^transaction id 57005 instead of \d+$/],
];

for (const [fault, detail] of WRONG) {
  test(`under ${fault.kind} the read fails as bad_frame, and the next one is right`, async (t) => {
    const sockets = watchSockets(t);
    const { link } = openLink(t, port);
    await slave.fault(port, fault);
    for (const answer of [
      await link.read(holding(50, 2), TIMEOUT),
      await link.read(holding(50, 2), TIMEOUT),
    ]) {
      assert.equal(failureOf(answer).reason, "bad_frame");
      assert.match(failureOf(answer).detail, detail);
    }
    await slave.fault(port, { kind: "normal" });
    assert.deepEqual(wordsOf(await link.read(holding(60, 2), TIMEOUT)), [60, 61]);
    assert.equal(opened(), 3);
    assert.deepEqual([sockets.made(), sockets.overlaps()], [3, 0]);
  });
}

test("an answer that comes byte by byte is put together", async (t) => {
  const { link } = openLink(t, port);
  await slave.fault(port, { kind: "split" });
  assert.deepEqual(wordsOf(await link.read(holding(70, 3), TIMEOUT)), [70, 71, 72]);
  assert.deepEqual(wordsOf(await link.read(holding(80, 3), TIMEOUT)), [80, 81, 82]);
  assert.equal(opened(), 1);
});

for (const kind of ["close", "rst"] as const) {
  test(`a device that ends the connection (${kind}) settles the read without the time-out`, async (t) => {
    const { link } = openLink(t, port);
    await slave.fault(port, { kind, at: "before" });
    // The clock stands still: nothing but the socket can end this read.
    const failure = failureOf(await link.read(holding(5), TIMEOUT));
    assert.equal(failure.reason, "timeout");
    assert.ok(failure.detail.startsWith(CLOSED), failure.detail);
    await slave.fault(port, { kind: "normal" });
    assert.deepEqual(wordsOf(await link.read(holding(6), TIMEOUT)), [6]);
  });
}

test("a device that answers nothing times out; the next read reconnects at once", async (t) => {
  const sockets = watchSockets(t);
  const { link, clock } = openLink(t, port);
  await slave.fault(port, { kind: "silent" });
  for (let n = 1; n <= 3; n += 1) {
    const reading = link.read(holding(n), TIMEOUT);
    await slave.received(port, earlier + n);
    await clock.advance(TIMEOUT);
    assert.equal(failureOf(await reading).reason, "timeout");
  }
  await slave.fault(port, { kind: "normal" });
  assert.deepEqual(wordsOf(await link.read(holding(4), TIMEOUT)), [4]);
  assert.equal(new Set(connectionsUsed()).size, 4);
  assert.deepEqual([sockets.made(), sockets.overlaps()], [4, 0]);
});

test("half an answer and then silence is a time-out", async (t) => {
  const { link, clock } = openLink(t, port);
  await slave.fault(port, { kind: "truncated" });
  const reading = link.read(holding(5, 20), TIMEOUT);
  await slave.received(port, earlier + 1);
  await clock.advance(TIMEOUT);
  assert.equal(failureOf(await reading).reason, "timeout");
  await slave.fault(port, { kind: "normal" });
  assert.deepEqual(wordsOf(await link.read(holding(6), TIMEOUT)), [6]);
});

test("an exception is reported with its code and keeps the connection", async (t) => {
  const { link } = openLink(t, port);
  for (const code of [1, 2, 6, 11, 200]) {
    await slave.fault(port, { kind: "exception", code });
    const answer = await link.read(holding(5), TIMEOUT);
    assert.ok(!answer.ok && answer.reason === "exception");
    assert.equal(answer.exception, code);
  }
  await slave.fault(port, { kind: "normal" });
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
  assert.equal(new Set(connectionsUsed()).size, 1);
});

test("a device that refuses is left alone during back-off, and found again after it", async (t) => {
  const sockets = watchSockets(t);
  const { link, clock } = openLink(t, port);
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
  await slave.fault(port, { kind: "refuse" });
  // The first read may still find the connection it had; the connect of the second is refused.
  const lost = await link.read(holding(5), TIMEOUT);
  const refused =
    failureOf(lost).reason === "timeout" ? await link.read(holding(5), TIMEOUT) : lost;
  assert.deepEqual(failureOf(refused).reason, "connect_failed");
  assert.match(failureOf(refused).detail, /ECONNREFUSED/);
  assert.equal(refused.sentAt, null);
  await slave.fault(port, { kind: "normal" });
  const made = sockets.made();
  const waiting = failureOf(await link.read(holding(5), TIMEOUT));
  assert.equal(waiting.reason, "connect_failed");
  assert.match(waiting.detail, /^in back-off after: .*ECONNREFUSED/);
  assert.equal(sockets.made(), made);
  await clock.advance(MAX_BACKOFF);
  assert.deepEqual(wordsOf(await link.read(holding(7), TIMEOUT)), [7]);
  assert.equal(sockets.overlaps(), 0);
});

test("bytes that come unasked reset the link", async (t) => {
  const sockets = watchSockets(t);
  const { link } = openLink(t, port);
  await slave.fault(port, { kind: "unasked" });
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
  await slave.fault(port, { kind: "normal" });
  await sockets.closed();
  assert.deepEqual(wordsOf(await link.read(holding(6), TIMEOUT)), [6]);
  assert.equal(new Set(connectionsUsed()).size, 2);
});

test("a device that closes after each answer is read every time", async (t) => {
  const sockets = watchSockets(t);
  const { link } = openLink(t, port);
  await slave.fault(port, { kind: "close", at: "after" });
  for (const address of [5, 6, 7]) {
    assert.deepEqual(wordsOf(await link.read(holding(address), TIMEOUT)), [address]);
    // The socket is still being closed: a request on it would be lost.
    await sockets.ended();
  }
  assert.deepEqual([sockets.made(), sockets.overlaps()], [3, 0]);
});

test("a request that can't be built fails; the next waits until the old socket is closed", async (t) => {
  const sockets = watchSockets(t);
  const { link } = openLink(t, port);
  assert.deepEqual(wordsOf(await link.read(holding(4), TIMEOUT)), [4]);
  const request = { unitId: 256, table: "holding", address: 0, count: 1 } as const;
  const answer = await link.read(request, TIMEOUT);
  // No turn of the event loop lies between the two: the old socket is still being closed.
  const next = link.read(holding(5), TIMEOUT);
  assert.equal(failureOf(answer).reason, "bad_frame");
  assert.equal(answer.sentAt, null);
  assert.deepEqual(wordsOf(await next), [5]);
  assert.deepEqual([sockets.made(), sockets.overlaps()], [2, 0]);
});

test("a second read while one is in flight is turned away and harms nothing", async (t) => {
  const { link } = openLink(t, port);
  const connecting = link.read(holding(5), TIMEOUT);
  const early = failureOf(await link.read(holding(6), TIMEOUT));
  assert.equal(early.detail, "another request is in flight");
  assert.deepEqual(wordsOf(await connecting), [5]);
  const first = link.read(holding(7), TIMEOUT);
  const second = failureOf(await link.read(holding(8), TIMEOUT));
  assert.equal(second.detail, "another request is in flight");
  assert.deepEqual(wordsOf(await first), [7]);
});

test("close ends a read in flight as timeout; reads after it fail", async (t) => {
  const { link } = openLink(t, port);
  await slave.fault(port, { kind: "silent" });
  const reading = link.read(holding(5), TIMEOUT);
  await slave.received(port, earlier + 1);
  await link.close();
  assert.deepEqual(failureOf(await reading), { reason: "timeout", detail: "the link was closed" });
  const later = failureOf(await link.read(holding(5), TIMEOUT));
  assert.deepEqual(later, { reason: "connect_failed", detail: "the link was closed" });
});

test("close ends a connect under way", async (t) => {
  const { link } = openLink(t, port);
  const reading = link.read(holding(5), TIMEOUT);
  await link.close();
  assert.equal(failureOf(await reading).reason, "connect_failed");
});

test("a name nobody resolves is looked up once at a time", async (t) => {
  let found: ((error: Error) => void) | undefined;
  const silent = (_host: string, _options: object, callback: (error: Error) => void): void => {
    found = callback;
  };
  // Only the form with options is used on the way from `connect`.
  const lookup = t.mock.method(dns, "lookup", silent as typeof dns.lookup);
  const { link, clock } = openLink(t, port, "plc.invalid");
  const reading = link.read(holding(5), TIMEOUT);
  await clock.advance(TIMEOUT);
  const first = failureOf(await reading);
  assert.deepEqual(first, { reason: "connect_failed", detail: "no connection within 300 ms" });
  await clock.advance(MAX_BACKOFF);
  const second = failureOf(await link.read(holding(5), TIMEOUT));
  assert.equal(second.detail, "plc.invalid is still being looked up");
  assert.equal(lookup.mock.callCount(), 1);
  found?.(new Error("no such name"));
  const third = link.read(holding(5), TIMEOUT);
  await clock.settle();
  found?.(new Error("no such name"));
  assert.deepEqual(failureOf(await third), { reason: "connect_failed", detail: "no such name" });
  assert.equal(lookup.mock.callCount(), 2);
});

test("a device that needs time after a connect is asked when it had it, and only after a connect", async (t) => {
  const watch = watchSockets(t);
  const { link, clock } = openLink(t, port, "127.0.0.1", 80);
  await slave.fault(port, { kind: "hold" });
  const reading = link.read(holding(5), TIMEOUT);
  await watch.connected();
  await clock.advance(79);
  assert.deepEqual(connectionsUsed(), [], "nothing is sent before");
  await clock.advance(1);
  await slave.received(port, earlier + 1);
  await slave.fault(port, { kind: "normal" });
  assert.deepEqual(wordsOf(await reading), [5]);
  assert.deepEqual(wordsOf(await link.read(holding(6), TIMEOUT)), [6]);
  assert.equal(opened(), 1);
});

test("a connection that ends in the pause after its connect fails the read without waiting on", async (t) => {
  const watch = watchSockets(t);
  const { link } = openLink(t, port, "127.0.0.1", 80);
  const reading = link.read(holding(5), TIMEOUT);
  await watch.connected();
  await slave.fault(port, { kind: "refuse" });
  assert.equal(failureOf(await reading).reason, "connect_failed");
});

test("a released connection ends in good order, and the next read makes a new one", async (t) => {
  const { link } = openLink(t, port);
  const watch = watchSockets(t);
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
  link.release();
  await watch.closed();
  link.release();
  assert.deepEqual(wordsOf(await link.read(holding(6), TIMEOUT)), [6]);
  assert.deepEqual([watch.made(), watch.overlaps(), opened()], [2, 0, 2]);
});

test("a device that does not close its side of a released connection is reset", async (t) => {
  const { link, clock } = openLink(t, port);
  const watch = watchSockets(t);
  assert.deepEqual(wordsOf(await link.read(holding(5), TIMEOUT)), [5]);
  await slave.fault(port, { kind: "stall" });
  link.release();
  await clock.advance(500);
  await watch.closed();
});
