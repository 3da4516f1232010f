import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decoded } from "../../src/core/decode.ts";
import type { Point } from "../../src/core/model.ts";
import type { PlannedRequest } from "../../src/core/plan.ts";
import type { Answer } from "../../src/core/ports.ts";
import {
  deviceAnswered,
  deviceAsked,
  outcomeOf,
  readingOf,
  readingText,
} from "../../src/core/reading.ts";
import type { NotAsked, Reading, ReadingInput, RequestResult } from "../../src/core/reading.ts";

const SLOT = 1795470000000;
/** Elapsed time of the slot. */
const DUE = 5000;

/** A request for these points, each with what its decoder finds in a good answer. */
function request(found: Record<string, Decoded>): PlannedRequest {
  const points = Object.entries(found).map(([id, decoded], at) => {
    const point: Point = {
      ...{ id, table: "holding", address: at, type: "uint16", order: "ABCD", interval: 1000 },
    };
    return { point, at, decode: () => decoded };
  });
  return { unitId: 2, table: "holding", address: 0, count: points.length, points };
}

function good(from: number, to: number): Answer {
  return { ok: true, words: new Uint16Array(125), sentAt: DUE + from, endedAt: DUE + to };
}

type FailedAnswer = Extract<Answer, { ok: false }>;

function failed(reason: FailedAnswer["reason"], from: number | null, to: number): Answer {
  const sentAt = from === null ? null : DUE + from;
  return { ok: false, reason, sentAt, endedAt: DUE + to, detail: "as the test says" };
}

function exception(code: number, from: number, to: number): Answer {
  const sentAt = DUE + from;
  const times = { sentAt, endedAt: DUE + to };
  return { ok: false, reason: "exception", exception: code, ...times, detail: "as the test says" };
}

function result(
  asked: PlannedRequest,
  last: Answer | NotAsked,
  ...earlier: Answer[]
): RequestResult {
  return { request: asked, last, earlier };
}

function inputOf(results: RequestResult[], change: Partial<ReadingInput> = {}): ReadingInput {
  return {
    node: "plant-a",
    gateway: "boiler-room",
    device: "plc",
    interval: 1000,
    epoch: 1795400000,
    seq: 8123,
    slot: SLOT,
    results,
    late: 2.06,
    settledAt: DUE + 900,
    wallOffset: SLOT - DUE,
    clockUnsure: false,
    ...change,
  };
}

const one = request({ a: { value: 1 } });
const two = request({ b: { value: 2 }, c: { value: 3 } });
const nan: Decoded = { reason: "not_a_number" };

test("a reading with every kind of content has the keys in the promised order", () => {
  const values = request({
    power: { value: 62.4 },
    mode: { value: "running" },
    flow: { value: 612.5, uncertain: "out_of_range" },
  });
  const results = [
    result(values, good(2.06, 10.02)),
    result(request({ serial: { value: "" } }), exception(2, 119.2, 123.04)),
  ];
  assert.equal(
    readingText(readingOf(inputOf(results))),
    '{"node":"plant-a","gateway":"boiler-room","device":"plc","interval":1000,' +
      '"epoch":1795400000,"seq":8123,"slot":1795470000000,"ts":1795470000123,"late":2.1,' +
      '"rtt":11.8,"quality":"uncertain",' +
      '"values":{"power":62.4,"mode":"running","flow":612.5},' +
      '"uncertain":{"flow":"out_of_range"},' +
      '"errors":{"serial":{"reason":"exception","exception":2}}}',
  );
});

test("a reading for which one reason holds has no errors", () => {
  const results = [
    result(one, failed("timeout", 502, 1002), failed("timeout", 2, 502)),
    result(two, "timeout"),
  ];
  const input = inputOf(results, { settledAt: DUE + 1002, clockUnsure: true });
  assert.equal(
    readingText(readingOf(input)),
    '{"node":"plant-a","gateway":"boiler-room","device":"plc","interval":1000,' +
      '"epoch":1795400000,"seq":8123,"slot":1795470000000,"ts":1795470001002,"late":2.1,' +
      '"rtt":null,"quality":"bad","reason":"timeout","values":{},"clock":"unsure"}',
  );
});

interface Case {
  name: string;
  results: RequestResult[];
  /** Compared with the same keys of the reading; undefined: the key is absent. */
  reading: Partial<Record<keyof Reading, unknown>>;
  answered: boolean;
  outcome: "good" | "partial" | "failed";
}

const CASES: Case[] = [
  {
    name: "all points decoded",
    results: [result(one, good(1, 3)), result(two, good(4, 9.5))],
    reading: { quality: "good", values: { a: 1, b: 2, c: 3 }, rtt: 7.5, ts: SLOT + 10 },
    answered: true,
    outcome: "good",
  },
  {
    name: "a doubtful value was decoded all the same",
    results: [result(request({ a: { value: 9, uncertain: "out_of_range" } }), good(1, 3))],
    reading: { quality: "uncertain", values: { a: 9 }, uncertain: { a: "out_of_range" } },
    answered: true,
    outcome: "good",
  },
  {
    name: "only the last answer of a request counts for its values, the time of each counts",
    results: [result(one, good(30, 35), exception(6, 10, 14), failed("timeout", 1, 9))],
    reading: { quality: "good", values: { a: 1 }, rtt: 9, ts: SLOT + 35 },
    answered: true,
    outcome: "good",
  },
  {
    name: "a request answered at first and then no more is bad, the device was there",
    results: [result(one, failed("timeout", 20, 520), exception(6, 10, 14))],
    reading: { quality: "bad", reason: "timeout", values: {}, rtt: 4, ts: SLOT + 14 },
    answered: true,
    outcome: "partial",
  },
  {
    name: "one point is no number",
    results: [result(request({ a: { value: 1 }, b: nan }), good(1, 3))],
    reading: { quality: "uncertain", values: { a: 1 }, errors: { b: nan }, reason: undefined },
    answered: true,
    outcome: "partial",
  },
  {
    name: "no point is a number",
    results: [result(request({ a: nan, b: nan }), good(1, 3))],
    reading: { quality: "bad", reason: "not_a_number", values: {}, errors: undefined, rtt: 2 },
    answered: true,
    outcome: "partial",
  },
  {
    name: "the same exception for all",
    results: [result(one, exception(2, 1, 3)), result(two, exception(2, 3, 5))],
    reading: { quality: "bad", reason: "exception", exception: 2, errors: undefined, rtt: 4 },
    answered: true,
    outcome: "partial",
  },
  {
    name: "two different exceptions",
    results: [result(one, exception(2, 1, 3)), result(two, exception(4, 3, 5))],
    reading: {
      quality: "bad",
      reason: undefined,
      exception: undefined,
      values: {},
      errors: {
        a: { reason: "exception", exception: 2 },
        b: { reason: "exception", exception: 4 },
        c: { reason: "exception", exception: 4 },
      },
    },
    answered: true,
    outcome: "partial",
  },
  {
    name: "a gateway that does not reach the device is no answer",
    results: [result(one, exception(11, 1, 3)), result(two, exception(10, 3, 5))],
    reading: { quality: "bad", reason: undefined, rtt: null, ts: SLOT + 900 },
    answered: false,
    outcome: "failed",
  },
  {
    name: "a frame that does not fit is no answer",
    results: [result(one, failed("bad_frame", 1, 3))],
    reading: { quality: "bad", reason: "bad_frame", rtt: null, ts: SLOT + 900 },
    answered: false,
    outcome: "failed",
  },
  {
    name: "no connection",
    results: [result(one, failed("connect_failed", null, 3)), result(two, "connect_failed")],
    reading: { quality: "bad", reason: "connect_failed", exception: undefined, rtt: null },
    answered: false,
    outcome: "failed",
  },
  {
    name: "left out by its breaker",
    results: [result(one, "breaker_open"), result(two, "breaker_open")],
    reading: { quality: "bad", reason: "breaker_open", values: {}, ts: SLOT + 900 },
    answered: false,
    outcome: "failed",
  },
  {
    name: "stopped before the first answer",
    results: [result(one, failed("timeout", 1, 100)), result(two, "stopped")],
    reading: {
      quality: "bad",
      reason: undefined,
      errors: { a: { reason: "timeout" }, b: { reason: "stopped" }, c: { reason: "stopped" } },
    },
    answered: false,
    outcome: "failed",
  },
  {
    name: "stopped half-way",
    results: [result(one, good(1, 3)), result(two, "stopped")],
    reading: {
      quality: "uncertain",
      values: { a: 1 },
      errors: { b: { reason: "stopped" }, c: { reason: "stopped" } },
    },
    answered: true,
    outcome: "partial",
  },
  {
    name: "cut off at the hard end",
    results: [result(one, good(1, 3)), result(two, "deadline")],
    reading: { errors: { b: { reason: "deadline" }, c: { reason: "deadline" } } },
    answered: true,
    outcome: "partial",
  },
];

for (const { name, results, reading, answered, outcome } of CASES) {
  test(`reading: ${name}`, () => {
    const made = readingOf(inputOf(results));
    for (const [key, value] of Object.entries(reading)) {
      // The keys of `reading` are keys of Reading by its type.
      assert.deepEqual(made[key as keyof Reading], value, key);
      if (value === undefined) assert.ok(!(key in made), `no key ${key}`);
    }
    assert.equal(deviceAnswered(results), answered);
    assert.equal(outcomeOf(results, [made]), outcome);
  });
}

test("a device was asked, unless its first request was not sent for reasons that are not its own", () => {
  for (const reason of ["stopped", "deadline", "breaker_open"] as const) {
    assert.equal(deviceAsked([result(one, reason)]), false, reason);
    assert.equal(deviceAsked([result(one, good(1, 3)), result(two, reason)]), true, reason);
  }
  assert.equal(deviceAsked([result(one, "connect_failed")]), true, "the way to it is its own");
  assert.equal(deviceAsked([]), false);
});

test("late is null when nothing was sent in the slot", () => {
  const input = inputOf([result(one, "connect_failed")], { late: null });
  assert.equal(readingOf(input).late, null);
});

test("a poll with one device answered and one left out is partial", () => {
  const there = [result(one, good(1, 3))];
  const away = [result(two, "breaker_open")];
  const readings = [there, away].map((results) => readingOf(inputOf(results)));
  assert.equal(outcomeOf([...there, ...away], readings), "partial");
});
