import assert from "node:assert/strict";
import test from "node:test";
import { changedLines } from "../../src/cli/changed.ts";
import { degradedBy, refusedLines } from "../../src/cli/degraded.ts";
import { plain } from "../../src/cli/paint.ts";
import type { Status } from "../../src/cli/reply.ts";
import { detailedLines } from "../../src/cli/status-detailed.ts";
import { summaryLines } from "../../src/cli/status-summary.ts";
import { DEGRADED, DISABLED, NODE, RUNNING, STOPPED, statusOf } from "./fixtures.ts";

const draw = {
  paint: plain,
  tryLine: (command: string, options: string) => `edgepoll ${command}${options}`,
};
const away = (ms: number) => ({ mqtt: { ...NODE.mqtt, away: ms, reason: "refused" } });

/** A state of things, and the reasons for which it counts as degraded. */
const VERDICTS: readonly (readonly [string, Status, readonly string[]])[] = [
  ["all is well", statusOf([RUNNING]), []],
  ["a gateway was stopped", statusOf([STOPPED]), []],
  ["a stopped node without gateways", statusOf([]), []],
  [
    "a device is offline",
    statusOf([RUNNING, DEGRADED]),
    ["roof is degraded since 2026-01-31 12:00:00: meter-1 timeout"],
  ],
  [
    "a gateway meant to run does not",
    statusOf([{ ...RUNNING, state: "disabled" }]),
    ["boiler-room is disabled since 2026-01-31 12:00:00"],
  ],
  [
    "all devices are left out",
    statusOf([DISABLED]),
    [
      "cellar is disabled since 2026-01-31 12:00:00: x connect_failed (left out), " +
        "y timeout (left out), z timeout (left out)",
    ],
  ],
  ["an external broker is away for a minute", statusOf([RUNNING], away(60_000)), []],
  [
    "an external broker is away for longer",
    statusOf([RUNNING], away(61_000)),
    ["the broker has been away for 1m1s: refused"],
  ],
  [
    "the embedded broker has nobody to be away from",
    statusOf([RUNNING], { ...away(61_000), durable: false }),
    [],
  ],
  [
    "the store fails",
    statusOf([RUNNING], { store: { ...NODE.store, state: "failing" } }),
    ["the store is failing"],
  ],
  ["there are findings", statusOf([RUNNING], { findings: 2 }), ["validate shows 2 findings"]],
];

for (const [what, status, reasons] of VERDICTS) {
  test(`${reasons.length === 0 ? "healthy" : "degraded"}: ${what}`, () => {
    assert.deepEqual(degradedBy(status), reasons);
  });
}

test("refused messages are named, and are no reason to count as degraded", () => {
  const { node } = statusOf([RUNNING], { spool: { ...NODE.spool, quarantined: 2 } });
  assert.deepEqual(refusedLines(node), [
    "the broker has refused 2 messages, kept aside: it may not take the topic, or the size",
  ]);
  assert.deepEqual(degradedBy({ node, gateways: [RUNNING] }), []);
  assert.deepEqual(refusedLines(NODE), []);
});

test("the summary has a line for the node, a line a gateway, and what to try", () => {
  assert.deepEqual(summaryLines(statusOf([RUNNING, DEGRADED, DISABLED, STOPPED]), draw), [
    "plant-a up 3h12m  1 of 4 gateways running, 1 degraded, 1 disabled  broker connected (MQTT 5)  store ok",
    "gateway      state     interval  good               late p99  devices  since                reason",
    "boiler-room  running   1s 1m     8100/8123 99.71 %  4.9 ms    1/1      2026-01-31 12:00:00",
    "roof         degraded  1s 1m     8100/8123 99.71 %  4.9 ms    1/3      2026-01-31 12:00:00  timeout",
    "cellar       disabled  1s 1m     8100/8123 99.71 %  4.9 ms    0/3      2026-01-31 12:00:00  connect_failed",
    "yard         stopped   1s 1m     8100/8123 99.71 %  4.9 ms    1/1      2026-01-31 12:00:00",
    "try  edgepoll status --detailed",
  ]);
});

test("the summary of a node in trouble names the trouble", () => {
  const spool = { ...NODE.spool, readings: 7 };
  const lines = summaryLines(statusOf([], { ...away(61_000), spool, clock: "unsure" }), draw);
  assert.deepEqual(lines, [
    "plant-a up 3h12m  0 of 0 gateways running  broker away for 1m1s  store ok  7 readings waiting" +
      "  the wall clock is unsure",
    "the broker has been away for 1m1s: refused",
  ]);
});

test("the detailed form has every schedule and device", () => {
  const lines = detailedLines(statusOf([DEGRADED]), draw);
  assert.deepEqual(lines.slice(5), [
    "roof  degraded since 2026-01-31 12:00:00  timeout",
    "  desired    running",
    "  last good  2026-01-31 12:00:01, last hour 99.80 % good",
    "  every 1s  good 8100  partial 3  failed 0  unknown 1  missed 119 (stopped 100, down 19)",
    "            late p50 0.8 ms  p99 4.9 ms  max 31 ms",
    "            next slot 2026-01-31 12:00:02, last seq 8123",
    "  every 1m  good 0  partial 0  failed 0  unknown 0  missed 0",
    "            late p50 -  p99 -  max -",
    "            next slot 2026-01-31 12:00:02, last seq 0",
    "  device  plc      online          since 2026-01-31 12:00:00",
    "  device  meter-1  offline         since 2026-01-31 12:00:00  timeout  12 without an answer in a row",
    "  device  meter-2  not polled yet  since 2026-01-31 12:00:00",
    "  try  edgepoll events --gateway roof --since 1h",
  ]);
});

test("the detailed form says how long a device is left out, and what to do", () => {
  const lines = detailedLines(statusOf([DISABLED]), draw);
  const row = "offline  since 2026-01-31 12:00:00";
  assert.deepEqual(lines.slice(-5), [
    `  device  x  ${row}  connect_failed  12 without an answer in a row, left out, next probe 2026-01-31 12:00:30`,
    `  device  y  ${row}  timeout         10 without an answer in a row, left out until it is enabled`,
    `  device  z  ${row}  timeout         10 without an answer in a row, left out, being probed`,
    "  try  edgepoll events --gateway cellar --since 1h",
    "  try  edgepoll enable --gateway cellar",
  ]);
});

test("a stopped gateway comes with the line that starts it", () => {
  const lines = detailedLines(statusOf([STOPPED]), draw);
  assert.equal(lines.at(-1), "  try  edgepoll start --gateway yard");
});

test("a start names the devices that stay left out", () => {
  const rest = { state: "running", desired: "running" } as const;
  const gateways = [
    { gateway: "a", ...rest, open: [] },
    { gateway: "boiler", ...rest, open: ["x", "y"] },
  ];
  assert.deepEqual(changedLines({ gateways }, plain), [
    "a       running",
    "boiler  running  left out by their breakers: x, y",
  ]);
});
