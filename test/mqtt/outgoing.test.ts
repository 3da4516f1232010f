/** Counting and timing of publishes, against a writer that answers when the test says so. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PublishError } from "../../src/core/errors.ts";
import { Outgoing } from "../../src/mqtt/outgoing.ts";
import type { Limits, Writer } from "../../src/mqtt/outgoing.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { messageTo } from "./peers.ts";

function setUp(limits: Partial<Limits> = {}) {
  const written: { payload: string; settle: (error?: Error) => void }[] = [];
  const writer: Writer = {
    publish: (_topic, payload, _options, settle) => written.push({ payload, settle }),
  };
  const clock = createFakeClock();
  let expired = 0;
  const all = {
    version: 5,
    receiveMaximum: 65_535,
    maximumPacketSize: Infinity,
    ...limits,
  } as const;
  const outgoing = new Outgoing(writer, all, clock, () => {
    expired += 1;
  });
  return { outgoing, written, clock, expired: () => expired };
}

describe("outgoing publishes", () => {
  it("never exceed the Receive Maximum of the broker, and go in order", async () => {
    const { outgoing, written } = setUp({ receiveMaximum: 2 });
    const all = ["1", "2", "3", "4"].map((payload) => outgoing.publish(messageTo("t", payload)));
    const quick = outgoing.publish(messageTo("t", "qos 0", { qos: 0 }));
    assert.deepEqual(
      written.map((one) => one.payload),
      ["1", "2", "qos 0"],
    );
    written[2]?.settle();
    await quick;
    assert.equal(written.length, 3);
    written[1]?.settle();
    written[0]?.settle();
    assert.deepEqual(
      written.slice(3).map((one) => one.payload),
      ["3", "4"],
    );
    written[3]?.settle();
    written[4]?.settle();
    await Promise.all(all);
  });

  it("expire 10 s after the acknowledgement of the one before, with one timer for all", async () => {
    const { outgoing, written, clock, expired } = setUp();
    const first = outgoing.publish(messageTo("t", "1"));
    const second = outgoing.publish(messageTo("t", "2"));
    outgoing.publish(messageTo("t", "3")).catch(() => undefined);
    await clock.advance(9_000);
    written[0]?.settle();
    await first;
    await clock.advance(9_000);
    assert.equal(clock.pendingTimers(), 1);
    written[1]?.settle();
    await second;
    await clock.advance(9_999);
    assert.equal(expired(), 0, "a slow broker is waited for");
    await clock.advance(1);
    assert.equal(expired(), 1);
  });

  it("expire when later ones are acknowledged and the oldest is not", async () => {
    const { outgoing, written, clock, expired } = setUp();
    outgoing.publish(messageTo("t", "1")).catch(() => undefined);
    for (let second = 1; second <= 9; second += 1) {
      await clock.advance(1_000);
      const later = outgoing.publish(messageTo("t", "later"));
      written[second]?.settle();
      await later;
    }
    assert.equal(expired(), 0);
    await clock.advance(1_000);
    assert.equal(expired(), 1);
  });

  it("that are held or written are lost with the connection, and no timer is left", async () => {
    const { outgoing, clock } = setUp({ receiveMaximum: 1 });
    const all = ["1", "2"].map((payload) => outgoing.publish(messageTo("t", payload)));
    const outcomes = Promise.allSettled(all);
    outgoing.end("cut off", true);
    // What was held back can't be why the broker ended the connection.
    const codes = ["PUBLISH_CUT", "PUBLISH_LOST"];
    for (const [n, outcome] of (await outcomes).entries()) {
      assert.ok(outcome.status === "rejected" && outcome.reason instanceof PublishError);
      assert.match(outcome.reason.message, /cut off/);
      assert.equal(outcome.reason.code, codes[n]);
    }
    assert.equal(clock.pendingTimers(), 0);
  });
});
