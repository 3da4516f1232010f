/** What passes the port of a line: pages of objects, whose length only they know, and answers that repeat their request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc16 } from "../../src/modbus/crc16.ts";
import { pageAdu } from "../../src/modbus/identification.ts";
import { RtuPort } from "../../src/modbus/rtu-port.ts";
import { page } from "./identification-peers.ts";

const UNIT = 5;

/** A frame with its checksum. */
function frame(...body: number[]): Buffer {
  const bytes = Buffer.from([...body, 0, 0]);
  bytes.writeUInt16LE(crc16(bytes, 0, body.length), body.length);
  return bytes;
}

/** A port, and what came out of it. */
function rig() {
  const out = { passed: [] as string[], pages: [] as string[], doubts: [] as string[] };
  const port = new RtuPort({
    send: () => undefined,
    doubt: (detail) => out.doubts.push(detail),
    page: (pdu) => out.pages.push(Buffer.from(pdu).toString("hex")),
  });
  port.on("data", (adu: Buffer) => out.passed.push(adu.toString("hex")));
  return { port, ...out };
}

/** What came of a page that arrives in pieces. */
function paged(bytes: Buffer, cuts: readonly number[] = []) {
  const { port, pages, doubts } = rig();
  port.write(pageAdu({ unitId: UNIT, object: 0 }));
  const ends = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length];
  ends.sort((a, b) => a - b);
  for (const [n, end] of ends.entries()) port.receive(bytes.subarray(ends[n - 1] ?? 0, end));
  return { pages, doubts };
}

/** Objects that a frame has room for. */
const objects = fc
  .array(fc.string({ maxLength: 40, unit: "binary-ascii" }), { minLength: 1, maxLength: 5 })
  .map((texts) => Object.fromEntries(texts.map((text, n) => [n, text])));

test("a page passes whole, however it is sliced, with noise behind it or an echo before it", () => {
  fc.assert(
    fc.property(objects, fc.boolean(), fc.array(fc.nat(300)), (told, follows, cuts) => {
      const pdu = page(told, follows ? 9 : undefined);
      const hex = Buffer.from(pdu).toString("hex");
      const bytes = frame(UNIT, ...pdu);
      assert.deepEqual(paged(bytes, cuts), { pages: [hex], doubts: [] });
      assert.deepEqual(paged(Buffer.concat([bytes, Buffer.from("00ff", "hex")])).pages, [hex]);
      const echoed = Buffer.concat([pageAdu({ unitId: UNIT, object: 0 }), bytes]);
      assert.deepEqual(paged(echoed, cuts), { pages: [hex], doubts: [] });
    }),
    { seed: 6 },
  );
});

test("a page whose count is that of all pages ends where its checksum says so", () => {
  const pdu = page({ 0: "Maker", 1: "Code" }, 2);
  pdu[6] = 7;
  const hex = Buffer.from(pdu).toString("hex");
  const bytes = frame(UNIT, ...pdu);
  assert.deepEqual(paged(bytes), { pages: [hex], doubts: [] });
  assert.deepEqual(
    paged(
      bytes,
      [...bytes].map((_, n) => n),
    ),
    { pages: [hex], doubts: [] },
  );
});

test("a page that can't be one is doubted, one that is cut short does not pass", () => {
  const good = page({ 0: "Maker", 1: "Code" });
  const changed = (at: number, byte: number) => good.map((each, n) => (n === at ? byte : each));
  const cases: [Buffer, RegExp][] = [
    [frame(UNIT + 1, ...good), /^unit id 6 instead of 5$/],
    [frame(UNIT, ...changed(0, 3)), /^function 3 instead of 43$/],
    [frame(UNIT, ...changed(1, 0x0d)), /^MEI type 13 instead of 14$/],
    [frame(UNIT, ...changed(8, 255)), /^objects that no frame has room for$/],
    [Buffer.from([...frame(UNIT, ...good).subarray(0, -1), 0]), /^checksum \d+ instead of \d+$/],
  ];
  for (const [bytes, words] of cases) {
    const { pages, doubts } = paged(bytes);
    assert.deepEqual(pages, []);
    assert.match(String(doubts), words);
  }
  const whole = frame(UNIT, ...good);
  for (let end = 0; end < whole.length; end++) {
    assert.deepEqual(paged(whole.subarray(0, end)), { pages: [], doubts: [] });
  }
});

test("an exception to an identification passes with its code", () => {
  assert.deepEqual(paged(frame(UNIT, 0xab, 1)), { pages: ["ab01"], doubts: [] });
});

test("the answer to a write of one value is its request: taken for an echo only where there are echoes", () => {
  const write = frame(UNIT, 6, 0, 9, 1, 2);
  const hex = write.toString("hex");
  const quiet = rig();
  quiet.port.write(write);
  quiet.port.receive(write);
  assert.deepEqual(quiet.passed, [hex]);
  const echoing = rig();
  const read = frame(UNIT, 3, 0, 9, 0, 1);
  echoing.port.write(read);
  echoing.port.receive(Buffer.concat([read, frame(UNIT, 3, 2, 0, 7)]));
  echoing.port.write(write);
  echoing.port.receive(write);
  assert.equal(echoing.passed.length, 1, "an echo is no answer");
  echoing.port.receive(write);
  assert.deepEqual(echoing.passed.slice(1), [hex]);
  assert.deepEqual([...quiet.doubts, ...echoing.doubts], []);
});

test("the answer to a write of several repeats address and quantity, with an echo before it or without", () => {
  const write = frame(UNIT, 16, 0, 9, 0, 2, 4, 0, 1, 0, 2);
  const answer = frame(UNIT, 16, 0, 9, 0, 2);
  for (const before of [Buffer.of(), write]) {
    const { port, passed, doubts } = rig();
    port.write(write);
    port.receive(Buffer.concat([before, answer]));
    assert.deepEqual([passed, doubts], [[answer.toString("hex")], []]);
  }
  const { port, passed, doubts } = rig();
  port.write(write);
  port.receive(frame(UNIT, 16, 0, 9, 0, 1));
  assert.deepEqual([passed, doubts], [[], ["00090001 where it has to repeat 00090002"]]);
});
