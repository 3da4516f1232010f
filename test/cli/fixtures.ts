/** Replies and reports as a node gives them. */
import type { NodeReport } from "../../src/app/api.ts";
import type { Status } from "../../src/cli/reply.ts";
import type { GatewayHealth, NodeHealth } from "../../src/core/payloads.ts";

/** Noon of a day on this machine. */
export const NOON = new Date(2026, 0, 31, 12).getTime();

/** A node that is well. */
export const NODE: NodeHealth = {
  node: "plant-a",
  uptime: 11_520_000,
  durable: true,
  mqtt: { version: 5, refusalsInvisible: false, commands: true },
  spool: { readings: 0, bytes: 0, oldest: null, hoursUntilFull: 96.5, dropped: 0, quarantined: 0 },
  store: { commit: { p50: 1.2, p99: 9 }, bytes: 1_200_000, state: "ok" },
  loopDelay: { p50: 0.4, p99: 3.1 },
  rss: 71_000_000,
  clock: "synced",
  findings: 0,
  totals: { good: 8100, partial: 3, failed: 0, unknown: 1, missed: 19 },
};

/** A gateway that is well, with two schedules. */
export const RUNNING: GatewayHealth = {
  node: "plant-a",
  gateway: "boiler-room",
  state: "running",
  desired: "running",
  since: NOON,
  online: true,
  lastGood: NOON + 1000,
  successRate: { hour: 0.998, day: null },
  schedules: [
    {
      interval: 1000,
      epoch: 1,
      seq: 8123,
      nextSlot: NOON + 2000,
      counts: { good: 8100, partial: 3, failed: 0, unknown: 1, missed: { stopped: 100, down: 19 } },
      late: { p50: 0.8, p99: 4.9, max: 31, bounds: [], histogram: [] },
    },
    {
      interval: 60_000,
      epoch: 1,
      seq: 0,
      nextSlot: NOON + 2000,
      counts: { good: 0, partial: 0, failed: 0, unknown: 0, missed: {} },
      late: { p50: null, p99: null, max: null, bounds: [], histogram: [] },
    },
  ],
  devices: [{ device: "plc", online: true, breaker: "closed", failures: 0, since: NOON }],
};

/** A gateway with a device that gives no answer. */
export const DEGRADED: GatewayHealth = {
  ...RUNNING,
  gateway: "roof",
  state: "degraded",
  reason: "timeout",
  devices: [
    ...RUNNING.devices,
    {
      ...{ device: "meter-1", online: false, breaker: "closed", failures: 12, since: NOON },
      reason: "timeout",
    },
    { device: "meter-2", online: null, breaker: "closed", failures: 0, since: NOON },
  ],
};

/** A gateway whose devices are all left out. */
export const DISABLED: GatewayHealth = {
  ...RUNNING,
  ...{ gateway: "cellar", state: "disabled", online: false, reason: "connect_failed" },
  devices: [
    {
      ...{ device: "x", online: false, breaker: "open", failures: 12, since: NOON },
      ...{ reason: "connect_failed", nextProbe: NOON + 30_000 },
    },
    {
      ...{ device: "y", online: false, breaker: "open", failures: 10, since: NOON },
      reason: "timeout",
    },
    {
      ...{ device: "z", online: false, breaker: "probing", failures: 10, since: NOON },
      reason: "timeout",
    },
  ],
};

/** A gateway that was stopped on purpose. */
export const STOPPED: GatewayHealth = {
  ...RUNNING,
  ...{ gateway: "yard", state: "stopped", desired: "stopped", online: false },
  schedules: RUNNING.schedules.map((schedule) => ({ ...schedule, nextSlot: null })),
};

/** A reply with some of it otherwise. */
export function statusOf(
  gateways: readonly GatewayHealth[],
  node: Partial<NodeHealth> = {},
): Status {
  return { node: { ...NODE, ...node }, gateways };
}

/** A node that has started. */
export const REPORT: NodeReport = {
  ...{ unknown: 1, missed: 12, schedules: 3, known: 3, firstDue: 5 },
  ...{ closed: ["attic@10000"], opened: ["yard@5000"] },
  stopped: [{ gateway: "yard", since: NOON, by: "mqtt" }],
  ...{ version: "0.1.0", nodeVersion: "20.20.2", pid: 4121, node: "plant-a" },
  ...{
    config: "/etc/edgepoll/edgepoll.yaml",
    stateDir: "/var/lib/edge poll",
    baseTopic: "polling",
  },
  gateways: [
    {
      ...{ id: "boiler-room", connection: "tcp://10.0.0.5:502", intervals: [1000, 60_000] },
      ...{ devices: 2, points: 40, requests: 8 },
    },
    {
      ...{ id: "yard", connection: "tcp://10.0.0.6:502", intervals: [5000] },
      ...{ devices: 1, points: 1, requests: 1 },
    },
  ],
  broker: { embedded: true, url: "mqtt://127.0.0.1:1883", port: 1883 },
  lastStop: NOON,
  warnings: ["a.yaml:1:1  slow"],
  withoutEffect: ["http", "budget"],
  firstSlotIn: 440,
};
