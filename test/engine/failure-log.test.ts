/** What the log says of requests that fail, at level debug. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

/** Lines of the rig's log. */
const placeOf = (seq: number, device: string): object => {
  return { gateway: "a", device, interval: 1000, seq };
};
const failed = (seq: number, device: string, reason: string, detail: string): string => {
  const fields = { ...placeOf(seq, device), table: "holding", address: 0, reason, detail };
  return `A request failed. ${JSON.stringify(fields)}`;
};
const answered = (seq: number, device: string): string =>
  `All requests are answered again. ${JSON.stringify(placeOf(seq, device))}`;

test("a failed request is told with the words of the link when they change, and when it is answered again", async () => {
  const gateways = [{ id: "a", devices: { one: [1000], two: [1000] }, phase: 0, timeout: 100 }];
  const rig = new Rig({ gateways });
  await rig.start();
  await rig.clock.advance(1500);
  assert.deepEqual(rig.details, [], "nothing of what is good");
  rig.behave("a/1", { kind: "bad-frame" });
  await rig.clock.advance(2000);
  rig.behave("a/1", { kind: "exception", code: 2 });
  rig.behave("a/2", { kind: "silent" });
  await rig.clock.advance(3000);
  rig.behave("a/1", { kind: "value" });
  await rig.clock.advance(2000);
  assert.deepEqual(rig.details, [
    failed(3, "one", "bad_frame", "bad-frame, as told"),
    failed(5, "one", "exception", "exception, as told"),
    failed(5, "two", "timeout", "silent, as told"),
    answered(8, "one"),
  ]);
});

test("a request that is answered at its second attempt is told as well", async () => {
  const gateways = [{ id: "a", devices: { one: [1000] }, phase: 0, timeout: 100, retries: 1 }];
  const rig = new Rig({ gateways });
  await rig.start();
  rig.behave("a/1", { kind: "bad-frame" });
  // The first attempt has its answer then, the second has not.
  rig.onSeen = () => {
    rig.behave("a/1", { kind: "value" });
  };
  await rig.clock.advance(2500);
  const [first = "", second = ""] = rig.details;
  assert.match(first, /"detail":"bad-frame, as told"/);
  assert.match(second, /^All requests are answered again/);
  assert.equal(rig.details.length, 2);
});

test("of a device that is left out nothing is told", async () => {
  const devices = { one: [1000], two: [1000] };
  const rig = new Rig({
    gateways: [{ id: "a", devices, phase: 0, timeout: 100, failureThreshold: 2 }],
  });
  rig.behave("a/1", { kind: "silent" });
  await rig.start();
  await rig.clock.advance(25_000);
  assert.deepEqual(rig.details, [failed(1, "one", "timeout", "silent, as told")]);
});
