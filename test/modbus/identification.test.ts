import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { identify, OBJECTS, pageOf, type Identification } from "../../src/modbus/identification.ts";
import { page, startMaster, startScripted } from "./identification-peers.ts";
import { startPython } from "./rig.ts";

const PYMODBUS = fileURLToPath(new URL("../support/pymodbus-slave.py", import.meta.url));

/** The texts by object id. */
function textsOf(found: object): Record<number, string> {
  assert.ok("objects" in found, JSON.stringify(found));
  // What has objects is an identification.
  return Object.fromEntries((found as Identification).objects);
}

test("a slave of another code base says who it is", async (t) => {
  const ask = await startMaster(t, await startPython(t, [PYMODBUS]), 7);
  const found = await identify(ask);
  assert.deepEqual(textsOf(found), {
    [OBJECTS.vendor]: "Pymodbus",
    [OBJECTS.productCode]: "PM",
    [OBJECTS.revision]: "1.2.3",
    [OBJECTS.vendorUrl]: "http://example.org",
    [OBJECTS.productName]: "Slave for tests",
    [OBJECTS.model]: "7",
  });
  assert.ok("cutShort" in found && found.cutShort === undefined);
});

test("pages that follow are put together, each asked for by the object it begins with", async (t) => {
  const pages = new Map([
    [0, page({ 0: "Maker", 1: "Code" }, 2)],
    [2, page({ 2: "1.0" }, 0x80)],
    [0x80, page({ 0x80: "own" })],
  ]);
  const slave = await startScripted(t, (object) => pages.get(object) ?? []);
  const found = await identify(await startMaster(t, slave.port, 1));
  assert.deepEqual(textsOf(found), { 0: "Maker", 1: "Code", 2: "1.0", 128: "own" });
  assert.deepEqual(slave.requests, [0, 2, 0x80]);
});

test("a device that goes round in its pages is asked no further", async (t) => {
  const slave = await startScripted(t, (object) => page({ [object]: "x" }, object === 0 ? 5 : 5));
  const found = await identify(await startMaster(t, slave.port, 1));
  assert.deepEqual(slave.requests, [0, 5]);
  assert.ok("cutShort" in found && found.cutShort === "object 5 is said to follow 5");
});

test("an exception is given back; one in a later page keeps what came before", async (t) => {
  const refusing = await startScripted(t, () => [0xab, 1]);
  const found = await identify(await startMaster(t, refusing.port, 1));
  assert.deepEqual(found, { ok: false, detail: "exception 1", exception: 1 });
  const later = await startScripted(t, (object) =>
    object === 0 ? page({ 0: "Maker" }, 1) : [0xab, 4],
  );
  const kept = await identify(await startMaster(t, later.port, 1));
  assert.deepEqual(textsOf(kept), { 0: "Maker" });
  assert.ok("cutShort" in kept && kept.cutShort === "exception 4");
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
