/** Rows of the fault table: devices that answer late, wrongly, or not at all. One node polls all of them at once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Fault } from "../../src/core/fault.ts";
import { faultRow } from "../support/fault-row.ts";
import type { LogLine } from "../support/slave.ts";
import { startField, type Field, type FieldGateway, type SeenReading } from "./field.ts";

/** ms; more than any row lasts: what needs it would be seen as slots that are missed. */
const NEVER = 10_000;

let field: Field;
const endings: (() => unknown)[] = [];

before(async () => {
  const ending = {
    after: (end: () => unknown): void => {
      endings.push(end);
    },
  };
  field = await startField(ending, {
    slow: { interval: 1000, timeout: 600 },
    late: {},
    "half-open": { proxied: true },
    stalled: { proxied: true },
    ending: { timeout: NEVER },
    header: { timeout: NEVER },
    owner: { timeout: NEVER },
    pieces: { interval: 1000, timeout: 480, proxied: true },
    exceptions: {},
    single: {},
    "closes-always": { retries: 1, unplaced: true },
    "closes-idle": {},
    lossy: { interval: 1000, timeout: 700, proxied: true, unplaced: true },
  });
});
after(async () => {
  for (const end of endings) await end();
});

/** Quality and reason of each reading, the values of good ones being there. */
function wordsOf(readings: readonly SeenReading[]): string[] {
  return readings.map(({ quality, reason, exception, values }) => {
    if (quality === "good") assert.equal(values["level"], 5);
    if (quality === "bad") assert.deepEqual(values, {});
    return [quality, reason, exception].filter((word) => word !== undefined).join(" ");
  });
}

/** The largest number of connections that the device had at the same time. */
function mostAtOnce(lines: readonly LogLine[]): number {
  let now = 0;
  return Math.max(
    ...lines.map(({ event }) => {
      if (event === "open") now += 1;
      if (event === "close") now -= 1;
      return now;
    }),
  );
}

/** Gives the faults one after the other, one poll each; settles with what came of each. */
async function underEach(gateway: FieldGateway, faults: readonly Fault[]): Promise<string[]> {
  const words: string[] = [];
  let last: number | undefined;
  for (const fault of faults) {
    const [reading] = await gateway.under(fault, 1);
    assert.ok(reading);
    words.push(...wordsOf([reading]));
    // A poll that waited for a time-out would have cost the slots after it.
    if (last !== undefined) assert.ok(reading.seq - last <= 2, `slot ${String(last)} took long`);
    last = reading.seq;
  }
  return words;
}

/** The log must have said these, in this order, each once or in several slots in a row. */
function assertTold(details: readonly string[], expected: readonly RegExp[]): void {
  const kinds = details.map((detail) => expected.findIndex((each) => each.test(detail)));
  const changes = kinds.filter((kind, n) => kind !== kinds[n - 1]);
  assert.deepEqual(changes, [...expected.keys()], details.join("; "));
}

const counted = (words: readonly string[], word: string): number =>
  words.filter((each) => each === word).length;

describe("devices that answer late, wrongly, or not at all", { concurrency: true }, () => {
  faultRow(
    {
      id: "D3",
      fault: "slow, under and over the time-out",
      done: "answers come after 200 ms, then after 800 ms, with a time-out of 600 ms",
      must: "good, then failed as timeout; never two connections at once",
    },
    async () => {
      const gateway = field.gateway("slow");
      const under = wordsOf(await gateway.under({ kind: "delay", ms: 200 }, 2));
      assert.deepEqual(under, ["good", "good"]);
      const over = wordsOf(await gateway.under({ kind: "delay", ms: 800 }, 2));
      assert.deepEqual(over, ["bad timeout", "bad timeout"]);
      const back = await gateway.recovers();
      assert.equal(mostAtOnce(gateway.connections()), 1);
      return `2 of 2 slots good, then 2 of 2 bad (timeout); 1 connection at a time; ${back}`;
    },
  );

  faultRow(
    {
      id: "D4",
      fault: "late answer after the time-out",
      done: "the answer comes 350 ms after a request with a time-out of 240 ms; then a device that mixes up its connections sends it in front of the next slot's answer",
      must: "the next slot has its own value or none, never the late one",
    },
    async () => {
      const gateway = field.gateway("late");
      await gateway.script([{ kind: "late", ms: 350, requests: 1 }]);
      const after = await gateway.next(2);
      assert.deepEqual(wordsOf(after), ["bad timeout", "good"]);
      await gateway.script([{ kind: "hold", requests: 1 }]);
      const mixed = await gateway.next(3);
      assert.deepEqual(wordsOf(mixed), ["bad timeout", "bad bad_frame", "good"]);
      const serials = [after[1], mixed[2]].map((reading) => Number(reading?.values["serial3"]));
      const slots = [after[1]?.slot ?? 0, mixed[2]?.slot ?? 0];
      const requests = serials.map((serial) => gateway.requests()[serial - 1]);
      assert.ok(requests.every((request) => request?.fc === 3));
      assert.equal(slots.length, 2);
      const back = await gateway.recovers();
      return `time-out, then its own value (request ${String(serials[0])}); mixed up: time-out, rejected, then its own value (request ${String(serials[1])}); ${back}`;
    },
  );

  faultRow(
    {
      id: "D5",
      fault: "half-open: the peer is gone and nobody says so",
      done: "the proxy swallows all bytes and ends of both directions, and goes on accepting",
      must: "each slot times out, resets its connection and makes a new one; never two at once",
    },
    async () => {
      const gateway = field.gateway("half-open");
      const from = gateway.proxy.log.length;
      gateway.proxy.damage("up", { drop: true });
      gateway.proxy.damage("down", { drop: true });
      assert.deepEqual(wordsOf(await gateway.next(3)), Array(3).fill("bad timeout"));
      const back = await gateway.recovers();
      const open = new Set<number>([1]);
      let resets = 0;
      for (const { event, conn } of gateway.proxy.log.slice(from)) {
        if (event === "open") {
          assert.equal(open.size, 0, "the old connection is reset before the next is made");
          open.add(conn);
        } else if (event === "rst" && open.delete(conn)) resets += 1;
      }
      assert.ok(resets >= 3);
      return `3 of 3 slots bad (timeout), ${String(resets)} connections reset, each before the next was made; ${back}`;
    },
  );

  faultRow(
    {
      id: "D6",
      fault: "stalled, then wakes",
      done: "the device reads nothing for five slots, then takes up all that lies in its buffers",
      must: "at most one stale request is carried out, and no answer to it is used",
    },
    async () => {
      const gateway = field.gateway("stalled");
      const words = wordsOf(await gateway.under({ kind: "stall" }, 5));
      assert.deepEqual(words, Array(5).fill("bad timeout"));
      const before = gateway.requests().length;
      const from = Date.now();
      const back = await gateway.recovers();
      const sent = gateway.sentAt();
      const stale = gateway
        .requests()
        .slice(before)
        .filter(({ raw }) => (sent.get(raw) ?? Infinity) < from);
      assert.ok(stale.length <= 1, `${String(stale.length)} stale requests were carried out`);
      return `5 of 5 slots bad (timeout); ${String(stale.length)} stale requests carried out; ${back}`;
    },
  );

  faultRow(
    {
      id: "D7",
      fault: "FIN and RST before, in and after an answer",
      done: "each of the six, with a time-out of 10 s",
      must: "settled at once, not after the time-out: no slot is missed",
    },
    async () => {
      const gateway = field.gateway("ending");
      const moments = ["before", "middle", "after"] as const;
      const faults = (["close", "rst"] as const).flatMap((kind) =>
        moments.map((at) => ({ kind, at })),
      );
      const words = await underEach(gateway, faults);
      const lost = "bad timeout";
      // After an answer the next request may leave before the end of the connection has arrived.
      const [after1 = "", after2 = ""] = [words[2], words[5]];
      assert.deepEqual([...words.slice(0, 2), ...words.slice(3, 5)], Array(4).fill(lost));
      assert.ok([after1, after2].every((word) => ["good", "uncertain"].includes(word)));
      const back = await gateway.recovers();
      return `FIN: ${words.slice(0, 3).join(", ")}; RST: ${words.slice(3).join(", ")}; no slot missed with a time-out of 10 s; ${back}`;
    },
  );

  faultRow(
    {
      id: "D8",
      fault: "garbage and wrong fields in the header",
      done: "garbage; a wrong transaction id; a wrong protocol id; length 0, 1, 255 and 65535, with a time-out of 10 s",
      must: "each is refused at once as bad_frame, the log says which field it was, and the link is reset",
    },
    async () => {
      const gateway = field.gateway("header");
      const opened = gateway.opened();
      const lengths = [0, 1, 255, 65_535].map(
        (length) => ({ kind: "wrong-length", length }) as const,
      );
      const words = await underEach(gateway, [
        { kind: "garbage" },
        { kind: "wrong-tid" },
        { kind: "wrong-protocol" },
        ...lengths,
      ]);
      assert.deepEqual(words, Array(7).fill("bad bad_frame"));
      const back = await gateway.recovers();
      const links = gateway.opened() - opened;
      assert.ok(links >= 7, "every one resets the link");
      assertTold(await gateway.details(), [
        /^transaction id 57005 instead of \d+$/,
        /^transaction id \d+ instead of \d+$/,
        /^protocol id 48879 instead of 0$/,
        /^length 0 is outside 3 to 254$/,
        /^length 1 is outside 3 to 254$/,
        /^length 255 is outside 3 to 254$/,
        /^length 65535 is outside 3 to 254$/,
      ]);
      return `7 of 7 bad (bad_frame), each with its words in the log, ${String(links)} new connections; ${back}`;
    },
  );

  faultRow(
    {
      id: "D9",
      fault: "wrong unit, function or byte count",
      done: "the answer of the neighbouring unit; of another function; with another number of bytes; time-out 10 s",
      must: "each is refused at once as bad_frame, and the log says which field it was",
    },
    async () => {
      const gateway = field.gateway("owner");
      const words = await underEach(gateway, [
        { kind: "wrong-unit" },
        { kind: "wrong-function" },
        { kind: "wrong-bytecount" },
      ]);
      assert.deepEqual(words, Array(3).fill("bad bad_frame"));
      const back = await gateway.recovers();
      assertTold(await gateway.details(), [
        /^unit id 2 instead of 1$/,
        /^function 4 instead of 3$/,
        /^byte count 2 instead of \d+$/,
      ]);
      return `3 of 3 bad (bad_frame), each with its words in the log; ${back}`;
    },
  );

  faultRow(
    {
      id: "D10",
      fault: "truncated, split, glued, lengthened and doubled frames",
      done: "single bytes, by the device and by the proxy; half an answer; 20 bytes more; the answer twice; two answers in one piece; every packet doubled by the proxy",
      must: "split ones are good, half ones time out, all others are refused for the bytes left over, and the link reset",
    },
    async () => {
      const gateway = field.gateway("pieces");
      const bad: Fault[] = [{ kind: "extra" }, { kind: "duplicate" }, { kind: "glued" }];
      assert.deepEqual(await underEach(gateway, [{ kind: "split" }]), ["good"]);
      assert.deepEqual(await underEach(gateway, [{ kind: "truncated" }]), ["bad timeout"]);
      assert.deepEqual(await underEach(gateway, bad), Array(3).fill("bad bad_frame"));
      await gateway.fault({ kind: "normal" });
      gateway.proxy.damage("down", { slice: 1 });
      const pieces = wordsOf(await gateway.next(1));
      assert.deepEqual(pieces, ["good"]);
      assertTold(await gateway.details(), [
        /^no answer within 480 ms$/,
        /^20 bytes left over behind the answer$/,
        // Twice the same answer, or another behind it: as many bytes.
        /^\d+ bytes left over behind the answer$/,
      ]);
      gateway.proxy.damage("down", { duplicate: true });
      // An answer that was complete counts; its copy may come while the next request is in flight.
      const doubled = (await gateway.next(3)).map(({ quality }) => quality);
      const back = await gateway.recovers();
      return `split: good; half: bad (timeout); 3 of 3 others bad (bad_frame); doubled packets: ${doubled.join(", ")}, each value its own; ${back}`;
    },
  );

  faultRow(
    {
      id: "D11",
      fault: "exceptions",
      done: "every request is answered with exception 1 to 11, then 200",
      must: "the reading says which; the connection is kept, and nothing is asked twice",
    },
    async () => {
      const gateway = field.gateway("exceptions");
      const opened = gateway.opened();
      const codes = [...Array.from({ length: 11 }, (_, n) => n + 1), 200];
      const words = await underEach(
        gateway,
        codes.map((code) => ({ kind: "exception", code }) as const),
      );
      assert.deepEqual(
        words,
        codes.map((code) => `bad exception ${String(code)}`),
      );
      const back = await gateway.recovers();
      assert.equal(gateway.opened(), opened, "the connection is kept");
      return `12 of 12 codes in their readings, 1 connection for all; ${back}`;
    },
  );

  faultRow(
    {
      id: "D12a",
      fault: "accepts only one connection",
      done: "a second connection is turned away; a wrong answer makes the node reset the first, five times",
      must: "the slot after is good: the old connection is gone before the next is made",
    },
    async () => {
      const gateway = field.gateway("single");
      const words: string[] = [];
      for (let n = 0; n < 5; n += 1) {
        words.push(
          ...(await underEach(gateway, [{ kind: "wrong-tid" }, { kind: "one-connection" }])),
        );
      }
      assert.equal(counted(words, "good"), 5, words.join(", "));
      const away = gateway.connections().filter(({ event }) => event === "turned-away").length;
      return `5 of 5 slots good after 5 resets; ${String(away)} connections turned away; ${await gateway.recovers()}`;
    },
  );

  faultRow(
    {
      id: "D12b",
      fault: "closes after each answer, or when idle",
      done: "one device closes after every answer (with one retry), one when nothing came for 100 ms, for four slots of 500 ms",
      must: "every slot is good",
    },
    async () => {
      const always = field.gateway("closes-always");
      const idle = field.gateway("closes-idle");
      const [one, two] = await Promise.all([
        always.under({ kind: "close", at: "after" }, 4),
        idle.under({ kind: "close-idle", ms: 100 }, 4),
      ]);
      assert.deepEqual(wordsOf([...one, ...two]), Array(8).fill("good"));
      const links = [always.opened(), idle.opened()].map(String);
      assert.equal(mostAtOnce(idle.connections()), 1);
      return `8 of 8 slots good, over ${links.join(" and ")} connections; ${await always.recovers()}`;
    },
  );

  faultRow(
    {
      id: "D17",
      fault: "40 % loss and 300 ms delay",
      done: "the proxy delays both directions by 150 ms and makes 40 % of the packets stand still for another second, so that answers come while the next slot's request is in flight, for eight polls each second with a time-out of 700 ms",
      must: "slots pass or fail, no request is sent twice, no value is another request's",
    },
    async () => {
      const gateway = field.gateway("lossy");
      const loss = { share: 0.4, stall: 1000, random: Math.random };
      gateway.proxy.damage("up", { latency: 150, loss });
      gateway.proxy.damage("down", { latency: 150, loss });
      await gateway.next(8);
      const back = await gateway.recovers();
      const readings = gateway.readings();
      const requests = gateway.requests();
      const sent = gateway.sentAt();
      for (const [point, fc] of [
        ["count3", 3],
        ["count4", 4],
      ] as const) {
        const own = requests.filter((request) => request.fc === fc);
        assert.ok(own.length <= readings.length, `function ${String(fc)} was sent once a poll`);
        for (const { slot, ts, values } of readings.filter(({ values }) => point in values)) {
          const request = requests[Number(values[point]) - 1];
          const at = sent.get(request?.raw ?? "") ?? 0;
          assert.equal(request?.fc, fc);
          assert.ok(at >= slot - 50 && at <= ts + 50, `slot ${String(slot)} has its own value`);
        }
      }
      const good = readings.filter(({ quality }) => quality === "good").length;
      const missed = (readings.at(-1)?.seq ?? 0) - readings.length;
      return `${String(readings.length)} polls with ${String(requests.length)} requests: ${String(good)} good, ${String(readings.length - good)} failed or partial, ${String(missed)} slots missed while one lasted; none doubled; ${back}`;
    },
  );
});

test("P1 P2 P5: through all of these no request was sent twice, no slot is without an outcome, no value is another request's", async (t) => {
  const { violations, counts } = await field.verdict();
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(violations.slice(0, 20), []);
});
