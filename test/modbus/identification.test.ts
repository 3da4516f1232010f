import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { pageOf, type Identification } from "../../src/modbus/identification.ts";
import { page, startScripted } from "./identification-peers.ts";
import { openLink, TIMEOUT } from "./rig.ts";

/** What a link makes of a slave. */
function identify(t: TestContext, port: number) {
  return openLink(t, port).link.identify(1, TIMEOUT);
}

/** The texts by object id. */
function textsOf(found: object): Record<number, string> {
  assert.ok("objects" in found, JSON.stringify(found));
  // What has objects is an identification.
  return Object.fromEntries((found as Identification).objects);
}

test("pages that follow are put together, each asked for by the object it begins with", async (t) => {
  const pages = new Map([
    [0, page({ 0: "Maker", 1: "Code" }, 2)],
    [2, page({ 2: "1.0" }, 0x80)],
    [0x80, page({ 0x80: "own" })],
  ]);
  const slave = await startScripted(t, (object) => pages.get(object) ?? []);
  const found = await identify(t, slave.port);
  assert.deepEqual(textsOf(found), { 0: "Maker", 1: "Code", 2: "1.0", 128: "own" });
  assert.deepEqual(slave.requests, [0, 2, 0x80]);
});

test("a device that goes round in its pages is asked no further", async (t) => {
  const slave = await startScripted(t, (object) => page({ [object]: "x" }, object === 0 ? 5 : 5));
  const found = await identify(t, slave.port);
  assert.deepEqual(slave.requests, [0, 5]);
  assert.ok("cutShort" in found && found.cutShort === "object 5 is said to follow 5");
});

test("an exception is given back; one in a later page keeps what came before", async (t) => {
  const refusing = await startScripted(t, () => [0xab, 1]);
  const found = await identify(t, refusing.port);
  assert.ok("exception" in found && found.exception === 1);
  const later = await startScripted(t, (object) =>
    object === 0 ? page({ 0: "Maker" }, 1) : [0xab, 4],
  );
  const kept = await identify(t, later.port);
  assert.deepEqual(textsOf(kept), { 0: "Maker" });
  assert.ok("cutShort" in kept && kept.cutShort === "the device answered with exception 4");
});

test("a page whose objects end elsewhere than its frame is told, and the connection goes on", async (t) => {
  const pages = [page({ 0: "Maker" }).slice(0, -1), page({ 0: "Maker" })];
  const slave = await startScripted(t, () => pages.shift() ?? []);
  const { link } = openLink(t, slave.port);
  assert.deepEqual(await link.identify(1, TIMEOUT), {
    ok: false,
    detail: "object 0 ends behind the answer",
  });
  assert.deepEqual(textsOf(await link.identify(1, TIMEOUT)), { 0: "Maker" });
});

test("a page that is not what it says is refused: function, type, code, lengths, counts", () => {
  const good = page({ 0: "Maker", 1: "Code" });
  assert.ok("objects" in pageOf(Uint8Array.from(good)));
  const changed = (at: number, byte: number) => good.map((each, n) => (n === at ? byte : each));
  const wrong = [
    ...[changed(0, 3), changed(1, 0x0d), changed(2, 1), changed(4, 1), changed(6, 1)],
    ...[changed(8, 200), good.slice(0, -1), good.slice(0, 6), [...good, 7]],
  ];
  for (const pdu of wrong) assert.ok("fault" in pageOf(Uint8Array.from(pdu)), String(pdu));
  // A count of the objects of all pages is no mistake.
  assert.ok("objects" in pageOf(Uint8Array.from(changed(6, 9))));
});

test("no bytes make it throw, and what is taken fits into them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (tail) => {
      const found = pageOf(Uint8Array.from([0x2b, 0x0e, 2, 1, ...tail]));
      if ("fault" in found) return;
      const taken = [...found.objects.values()].reduce((sum, text) => sum + 2 + text.length, 0);
      assert.ok(taken <= tail.length);
    }),
  );
});
