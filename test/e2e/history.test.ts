/** The history checker itself: it must find what is wrong in a history made wrong on purpose. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkHistory, type History, type LedgerEntry } from "../support/history.ts";

const INTERVAL = 300;
const START = 1_800_000_000_000;
const GATEWAY = "boiler";
const INTERVALS = new Map([[GATEWAY, INTERVAL]]);
const EPOCH = 7;

type Messages = History["messages"][number][];
type Requests = History["requests"][number][];
interface Draft {
  kills: number;
  messages: Messages;
  requests: Requests;
  entries: LedgerEntry[];
  claimed: number;
  healed?: number[];
  sizes?: NonNullable<History["sizes"]>;
  outputs?: string[];
}

const SIZE = { rss: 100, descriptors: 20 };

const slotOf = (seq: number): number => START + seq * INTERVAL;

function reading(seq: number, more: object = {}): Messages[number] {
  const values = { serial3: seq * 2 - 1, serial4: seq * 2, level: 5 };
  const identity = { gateway: GATEWAY, device: "unit", epoch: EPOCH, seq, slot: slotOf(seq) };
  const payload = JSON.stringify({ ...identity, quality: "good", values, ...more });
  return { topic: `polling/readings/${GATEWAY}/unit`, payload };
}

function gap(from: number, to: number, outcome: string, reason: string): Messages[number] {
  const slots = { slotFrom: slotOf(from), slotTo: slotOf(to) };
  const payload = { gateway: GATEWAY, epoch: EPOCH, from, to, ...slots, outcome, reason };
  return { topic: `polling/gaps/${GATEWAY}`, payload: JSON.stringify(payload) };
}

function requestsOf(seq: number, late = 3): Requests {
  return [3, 4].map((fc, n) => {
    return { gateway: GATEWAY, fc, serial: seq * 2 - 1 + n, at: slotOf(seq) + late + n };
  });
}

/** Moves the poll of a slot in the slave's time. */
function shift(made: Draft, seq: number, ms: number): void {
  made.requests = made.requests.map((request) =>
    request.serial === seq * 2 - 1 || request.serial === seq * 2
      ? { ...request, at: request.at + ms }
      : request,
  );
}

/** Slots 1 to 8 of one kill: 4 is unknown but was sent, 5 and 6 are missed, the rest is good. */
function draft(): Draft {
  const good = [1, 2, 3, 7, 8];
  return {
    kills: 1,
    messages: [
      ...[1, 2, 3].map((seq) => reading(seq)),
      gap(4, 4, "unknown", "crash"),
      gap(5, 6, "missed", "down"),
      ...[7, 8].map((seq) => reading(seq)),
    ],
    requests: [1, 2, 3, 4, 7, 8].flatMap((seq) => requestsOf(seq)),
    entries: [
      ...good.slice(0, 3).map((seq) => ({ from: seq, to: seq, outcome: "good" })),
      { from: 4, to: 4, outcome: "unknown:crash" },
      { from: 5, to: 6, outcome: "missed:down" },
      ...good.slice(3).map((seq) => ({ from: seq, to: seq, outcome: "good" })),
    ],
    claimed: 8,
  };
}

function check({ entries, claimed, ...rest }: Draft): ReturnType<typeof checkHistory> {
  const ledger = [{ gateway: GATEWAY, epoch: EPOCH, claimed, entries }];
  return checkHistory({ intervals: INTERVALS, ledger, ...rest });
}

/** Wrong histories: what is done to the right one, and what the checker must say. */
const WRONG: readonly [string, RegExp, (made: Draft) => void][] = [
  [
    "a slot was polled again after the restart",
    /^I1 boiler epoch 7 seq 3 was sent twice/,
    ({ requests }) => requests.push({ gateway: GATEWAY, fc: 3, serial: 40, at: slotOf(3) + 90 }),
  ],
  [
    "a slot that is said to be missed was sent",
    /^I1 .* missed:down, and seq 5 was sent/,
    ({ requests }) => requests.push(...requestsOf(5, 100)),
  ],
  [
    "a slot was sent that was never claimed",
    /^I1 boiler sent seq 9 without a claim/,
    ({ requests }) => requests.push({ gateway: GATEWAY, fc: 3, serial: 40, at: slotOf(9) + 2 }),
  ],
  [
    "two polls came close together",
    /^I2 boiler epoch 8 seq 1 came 100 ms after seq 8 began, too close/,
    ({ messages, requests }) => {
      const slot = slotOf(8) + 100;
      messages.push(reading(1, { epoch: 8, slot, values: { serial3: 17 } }));
      requests.push({ gateway: GATEWAY, fc: 3, serial: 17, at: slot + 3 });
    },
  ],
  [
    "a poll was sent long after its grace",
    /^I2 boiler epoch 7 seq 8 was sent 1053 ms after the end of its grace/,
    (made) => {
      shift(made, 8, 1200);
    },
  ],
  [
    "a poll without a reading has no slot of its own",
    /^I1 boiler epoch 7 seq 4 was sent twice: fc 3 serial 40/,
    ({ requests }) => requests.push({ gateway: GATEWAY, fc: 3, serial: 40, at: slotOf(4) + 90 }),
  ],
  [
    "a seq was told in no message",
    /^I3 boiler epoch 7 seq 5 to 6 came next after seq 3/,
    ({ messages }) => messages.splice(3, 1),
  ],
  [
    "a seq is in a gap and in a reading",
    /^I3 boiler epoch 7 seq 8 is in two messages/,
    ({ messages }) => messages.push(gap(8, 9, "missed", "down")),
  ],
  [
    "the ledger has a hole",
    /^I3 the ledger goes from 3 to boiler epoch 7 seq 5/,
    ({ entries }) => entries.splice(3, 1),
  ],
  [
    "the ledger has a slot twice",
    /^I3 the ledger goes from 4 to boiler epoch 7 seq 4/,
    ({ entries }) => entries.splice(4, 0, { from: 4, to: 4, outcome: "missed:down" }),
  ],
  [
    "a claim has no outcome",
    /^I3 boiler epoch 7 is claimed to 9, accounted to 8/,
    (made) => (made.claimed = 9),
  ],
  [
    "the ledger and the message differ",
    /^I3 .* is missed:down and was delivered as missed:late/,
    ({ messages }) => (messages[4] = gap(5, 6, "missed", "late")),
  ],
  [
    "a reading holds the answer of another slot",
    /^I4 boiler epoch 7 seq 8 holds the answer to boiler seq 7/,
    ({ messages }) => (messages[6] = reading(8, { values: { serial3: 13 } })),
  ],
  [
    "an answer is used twice",
    /^I4 boiler epoch 7 seq 8 holds serial 13 again/,
    ({ messages }) => (messages[6] = reading(8, { values: { serial3: 13 } })),
  ],
  [
    "a value was never sent",
    /^I4 boiler epoch 7 seq 8 holds serial 99, which was never sent/,
    ({ messages }) => (messages[6] = reading(8, { values: { serial3: 99 } })),
  ],
  [
    "a reading of the ledger was not delivered",
    /^I5 boiler epoch 7 seq 8 to 8 is good and its reading was not delivered/,
    ({ messages }) => messages.pop(),
  ],
  [
    "a reading came again with other bytes",
    /^I6 boiler epoch 7 seq 2 to 2 came twice with other bytes/,
    ({ messages }) => messages.push(reading(2, { rtt: 1 })),
  ],
  [
    "a reading was delivered that the ledger does not have",
    /^I3 boiler epoch 7 seq 8 was delivered and is not in the ledger/,
    (made) => {
      made.entries.pop();
      made.claimed = 7;
    },
  ],
  [
    "readings came out of order",
    /^I7 boiler epoch 7 seq 7 to 7 came after seq 8/,
    ({ messages }) => messages.push(...messages.splice(5, 1)),
  ],
  [
    "a reading holds the answer to a request that was sent before its slot",
    /^I4 boiler epoch 7 seq 8 holds the answer to a request of 157 ms before it was due/,
    (made) => {
      shift(made, 8, -200);
    },
  ],
  [
    "a gateway was not polled again after a fault",
    /^I9 boiler was not polled in the slots due within 2000 ms/,
    (made) => (made.healed = [slotOf(8) + 1]),
  ],
  [
    "a gateway was not heard of again after a fault",
    /^I9 boiler epoch 7 seq 7 arrived after 15001 ms/,
    (made) => {
      made.healed = [slotOf(6)];
      made.messages[5] = { ...reading(7), at: slotOf(7) + 15_001 };
    },
  ],
  [
    "a process is larger after a fault than before",
    /^I9 memory grew from 100 to 121 bytes/,
    (made) => (made.sizes = [{ before: SIZE, after: { ...SIZE, rss: 121 } }]),
  ],
  [
    "a process has more open after a fault than before",
    /^I9 open descriptors grew from 20 to 21/,
    (made) => (made.sizes = [{ before: SIZE, after: { ...SIZE, descriptors: 21 } }]),
  ],
  [
    "a process said that nobody caught an error",
    /^I10 a process said: .*an error nobody caught/,
    (made) => (made.outputs = ["{}", '{"level":"info"}\n{"msg":"an error nobody caught"}\n']),
  ],
  [
    "a process ended by an error",
    /^I10 a process said: Uncaught/,
    (made) => (made.outputs = ["{}\nUncaught 'reason'\n"]),
  ],
  [
    "more slots are unknown than kills explain",
    /^I8 1 slots are unknown, at most 0 may be/,
    (made) => (made.kills = 0),
  ],
];

describe("the history checker", () => {
  it("finds nothing wrong in a history that keeps the promises", () => {
    const { violations, counts } = check(draft());
    assert.deepEqual(violations, []);
    const { slots, readings, unknown, missed, lost, twice, duplicates } = counts;
    assert.deepEqual(
      { slots, readings, unknown, missed, lost, twice, duplicates },
      { slots: 8, readings: 5, unknown: 1, missed: 2, lost: 0, twice: 0, duplicates: 0 },
    );
  });

  it("lets a reading come again, later, marked as replayed", () => {
    const made = draft();
    made.messages.push(reading(3, { replayed: true }));
    const { violations, counts } = check(made);
    assert.deepEqual(violations, []);
    assert.equal(counts.duplicates, 1);
  });

  it("lets the last run be untold", () => {
    const made = draft();
    made.entries.push({ from: 9, to: 12, outcome: "missed:down" });
    made.claimed = 12;
    assert.deepEqual(check(made).violations, []);
  });

  it("begins again at seq 1 in a new epoch, and nowhere else", () => {
    const entries = draft().entries.slice(0, 1);
    const ledger = [7, 8].map((epoch) => ({ gateway: GATEWAY, epoch, claimed: 1, entries }));
    const history = { intervals: INTERVALS, kills: 0, ledger, requests: requestsOf(1) };
    const fresh = { epoch: 8, slot: slotOf(3), values: {} };
    const right = checkHistory({ ...history, messages: [reading(1), reading(1, fresh)] });
    assert.deepEqual(right.violations, []);
    const wrong = checkHistory({ ...history, messages: [reading(1), reading(2, fresh)] });
    assert.match(wrong.violations.join("\n"), /I3 boiler epoch 8 seq 2 to 2 came next after seq 0/);
  });

  it("takes a process that is as it was, and a gateway that is back", () => {
    const made = { ...draft(), healed: [slotOf(6)], outputs: ['{"level":"info"}'] };
    made.messages[5] = { ...reading(7), at: slotOf(7) + 20 };
    const sizes = [{ before: SIZE, after: { rss: 120, descriptors: 20 } }];
    assert.deepEqual(check({ ...made, sizes }).violations, []);
  });

  it("lets a poll come late to the slave when the machine is busy", () => {
    const made = draft();
    shift(made, 4, 250);
    shift(made, 8, 280);
    assert.deepEqual(check(made).violations, []);
  });

  it("shows the slots around the smallest violation as each witness saw them", () => {
    const made = draft();
    made.requests.push({ gateway: GATEWAY, fc: 3, serial: 40, at: slotOf(5) + 20 });
    assert.equal(
      check(made).window,
      [
        `I1 boiler epoch 7 seq 5 is missed:down, and seq 5 was sent: fc 3 serial 40 at ${String(slotOf(5) + 20)}`,
        ...[3, 4, 5, 6, 7].map((seq) => {
          const outcome = seq === 4 ? "unknown:crash" : seq < 5 || seq > 6 ? "good" : "missed:down";
          const wire = requestsOf(seq).map(
            ({ fc, serial, at }) => `fc ${String(fc)} serial ${String(serial)} at ${String(at)}`,
          );
          const seen = seq === 5 || seq === 6 ? "nothing" : wire.join(", ");
          return `seq ${String(seq)} due ${String(slotOf(seq))}: ledger ${outcome}, told ${outcome}, slave ${seen}`;
        }),
        `of no slot: fc 3 serial 40 at ${String(slotOf(5) + 20)}`,
      ].join("\n"),
    );
  });

  for (const [name, expected, spoil] of WRONG) {
    it(`finds that ${name}`, () => {
      const made = draft();
      spoil(made);
      assert.ok(
        check(made).violations.some((violation) => expected.test(violation)),
        check(made).violations.join("\n"),
      );
    });
  }
});
