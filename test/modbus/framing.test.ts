import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { faultOf, frameOf } from "../../src/modbus/mbap.ts";
import { StrictPort } from "../../src/modbus/strict-port.ts";

/** A request and an answer that fits it; the bytes are put together here, from the specification. */
interface Exchange {
  readonly id: number;
  readonly request: Buffer;
  readonly answer: Buffer;
}

function header(id: number, body: Uint8Array): Buffer {
  return Buffer.from([id >> 8, id & 255, 0, 0, 0, body.length, ...body]);
}

const exchange: fc.Arbitrary<Exchange> = fc
  .record({
    id: fc.nat(0xffff),
    unit: fc.nat(255),
    code: fc.constantFrom(1, 2, 3, 4),
    address: fc.nat(0xffff),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    data: fc.uint8Array({ minLength: 250, maxLength: 250 }),
    exception: fc.option(fc.integer({ min: 1, max: 255 })),
  })
  .map(({ id, unit, code, address, share, data, exception }) => {
    const count = 1 + Math.floor(share * (code <= 2 ? 1999 : 124));
    const bytes = code <= 2 ? Math.ceil(count / 8) : 2 * count;
    const fields = [unit, code, address >> 8, address & 255, count >> 8, count & 255];
    const body =
      exception === null
        ? [unit, code, bytes, ...data.subarray(0, bytes)]
        : [unit, code | 0x80, exception];
    // The two bytes of the checksum, which the port drops.
    const request = Buffer.from([...fields, 0, 0]);
    return { id, request, answer: header(id, Buffer.from(body)) };
  });

/** Sends the request, feeds the pieces, and tells what came out. */
function run({ id, request }: Exchange, pieces: readonly Buffer[]) {
  const passed: string[] = [];
  const doubts: string[] = [];
  const sent: Buffer[] = [];
  const host = {
    send: (frame: Buffer) => sent.push(frame),
    doubt: (detail: string) => doubts.push(detail),
    page: () => undefined,
  };
  const port = new StrictPort(host, () => id);
  port.on("data", (adu: Buffer) => passed.push(adu.toString("hex")));
  port.write(request);
  for (const piece of pieces) if (doubts.length === 0) port.receive(piece);
  return { passed, doubts, sent };
}

function slice(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length];
  ends.sort((a, b) => a - b);
  return ends.map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end)).filter((p) => p.length > 0);
}

/** The checksum of Modbus RTU bit by bit, as the specification draws it. */
function slowCrc(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

test("a request goes out with id, protocol 0, length, and the PDU without its checksum", () => {
  const frame = frameOf(0xabcd, Buffer.from([17, 3, 0, 107, 0, 3]));
  assert.equal(frame.toString("hex"), "abcd00000006" + "1103006b0003");
});

test("an answer passes whole, with a right checksum, however it is sliced", () => {
  fc.assert(
    fc.property(exchange, fc.array(fc.nat(300), { maxLength: 20 }), (made, cuts) => {
      const { passed, doubts, sent } = run(made, slice(made.answer, cuts));
      const body = made.answer.subarray(6);
      const crc = slowCrc(body);
      const adu = Buffer.concat([body, Buffer.from([crc & 255, crc >> 8])]);
      assert.deepEqual(doubts, []);
      assert.deepEqual(passed, [adu.toString("hex")]);
      assert.deepEqual(sent, [header(made.id, made.request.subarray(0, -2))]);
    }),
  );
});

test("an answer with any corrupted header byte is refused, however it is sliced", () => {
  fc.assert(
    fc.property(
      exchange,
      fc.nat(8),
      fc.integer({ min: 1, max: 255 }),
      fc.array(fc.nat(300), { maxLength: 5 }),
      (made, at, flip, cuts) => {
        // Of an exception the ninth byte is its code, and every code is an answer.
        fc.pre(at < 8 || made.answer.readUInt8(7) < 0x80);
        const bad = Buffer.from(made.answer);
        bad.writeUInt8(bad.readUInt8(at) ^ flip, at);
        const { passed, doubts } = run(made, slice(bad, cuts));
        assert.deepEqual(passed, []);
        const whole = run(made, [bad]).doubts;
        assert.equal(whole.length, 1);
        assert.deepEqual(doubts, whole);
      },
    ),
  );
});

test("an answer cut short does not pass, and one with bytes behind it is refused", () => {
  fc.assert(
    fc.property(
      exchange,
      fc.nat(300),
      fc.uint8Array({ minLength: 1, maxLength: 600 }),
      (made, at, more) => {
        const part = run(made, [made.answer.subarray(0, at % made.answer.length)]);
        assert.deepEqual(part.passed, []);
        assert.deepEqual(part.doubts, []);
        const long = run(made, [Buffer.concat([made.answer, more])]);
        assert.deepEqual(long.passed, []);
        assert.deepEqual(long.doubts, [`${String(more.length)} bytes left over behind the answer`]);
      },
    ),
  );
});

test("bytes that nobody asked for raise doubt", () => {
  const doubts: string[] = [];
  const silent = () => undefined;
  const host = { send: silent, doubt: (detail: string) => doubts.push(detail), page: silent };
  const port = new StrictPort(host, () => 1);
  port.receive(Buffer.from([0]));
  assert.deepEqual(doubts, ["1 bytes came while no request was in flight"]);
});

test("each field of the header has words of its own", () => {
  const expected = { id: 1, unitId: 2, code: 3, rest: 4 };
  const faults: [string, string][] = [
    ["0007", "transaction id 7 instead of 1"],
    ["0001beef", "protocol id 48879 instead of 0"],
    ["000100000000", "length 0 is outside 3 to 254"],
    ["000100000002", "length 2 is outside 3 to 254"],
    ["0001000000ff", "length 255 is outside 3 to 254"],
    ["00010000ffff", "length 65535 is outside 3 to 254"],
    ["00010000000709", "unit id 9 instead of 2"],
    ["0001000000070204", "function 4 instead of 3"],
    ["0001000000070284", "function 132 instead of 3"],
    ["000100000007020302", "byte count 2 instead of 4"],
    ["000100000008020304", "length 8 instead of 7"],
    ["000100000004028302", "length 4 instead of 3"],
  ];
  for (const [hex, words] of faults) {
    const bytes = Buffer.from(hex, "hex");
    assert.equal(faultOf(bytes, bytes.length, expected), words);
  }
});
