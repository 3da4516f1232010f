/** The promises P1 to P4, under any order of mishaps. EDGEPOLL_RUNS=1000 looks longer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { validateStore } from "../../src/engine/validate.ts";
import { SEED } from "../support/seed.ts";
import { faultsOf, Watch } from "./checker.ts";
import { keptFaultsOf, recordsOf } from "./kept.ts";
import { Rig } from "./rig.ts";
import type { Behaviour } from "./fakes.ts";

const RUNS = Number(process.env["EDGEPOLL_RUNS"] ?? 300);

const BREAKER = { failureThreshold: 2, probe: { first: 1000, max: 3000 } };
const GATEWAYS = [
  { id: "a", devices: { d: [1000, 5000] }, endpoint: "line", phase: 0, ...BREAKER },
  { id: "b", devices: { d: [2000] }, endpoint: "line", phase: 500, ...BREAKER },
  { id: "c", devices: { d: [1000] }, retries: 0, ...BREAKER },
  { id: "e", devices: { one: [3000], two: [3000] }, ...BREAKER },
];
const INTERVALS: Readonly<Record<string, readonly number[]>> = {
  a: [1000, 5000],
  b: [2000],
  c: [1000],
};

/** Those with one schedule. */
const WATCHED = [
  { id: "b", interval: 2000, devices: ["d"] },
  { id: "c", interval: 1000, devices: ["d"] },
  { id: "e", interval: 3000, devices: ["one", "two"] },
];

type Step =
  | { readonly do: "advance" | "stall" | "suspend" | "wall"; readonly ms: number }
  | {
      readonly do: "crash";
      readonly power: boolean;
      readonly kept: boolean;
      readonly away: number;
      readonly boot: boolean;
      readonly wall: number;
    }
  | { readonly do: "restart"; readonly away: number }
  | { readonly do: "stop" | "start"; readonly gateway: string }
  | { readonly do: "broker"; readonly on: boolean }
  | { readonly do: "acks"; readonly on: boolean; readonly lost: boolean }
  | { readonly do: "fail"; readonly count: number; readonly applied: boolean }
  | { readonly do: "store"; readonly on: boolean }
  | { readonly do: "behave"; readonly where: string; readonly as: Behaviour }
  | { readonly do: "die"; readonly where: string; readonly as: Behaviour; readonly ms: number }
  | { readonly do: "enable"; readonly gateway: string };

const gateway = fc.constantFrom("a", "b", "c", "e", "*");
const where = fc.constantFrom("line", "c", "e", "e/1", "e/2");
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  fc.record({ kind: fc.constant("value" as const), ms: fc.constantFrom(1, 50, 400, 900, 1500) }),
  fc.constant({ kind: "silent" as const }),
  fc.constant({ kind: "bad-frame" as const }),
  fc.record({ kind: fc.constant("refuse" as const), ms: fc.constantFrom(1, 700) }),
  fc.record({ kind: fc.constant("exception" as const), code: fc.constantFrom(2, 11) }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.integer({ min: 1, max: 8000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("stall" as const),
      ms: fc.integer({ min: 10, max: 12_000 }),
    }),
  },
  fc.record({ do: fc.constant("suspend" as const), ms: fc.integer({ min: 150, max: 60_000 }) }),
  fc.record({
    do: fc.constant("wall" as const),
    ms: fc.oneof(
      fc.constantFrom(3_600_000, -3_600_000, 1500, -1500),
      fc.integer({ min: -9000, max: 9000 }),
    ),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("crash" as const),
      power: fc.boolean(),
      kept: fc.boolean(),
      away: fc.constantFrom(0, 40, 600, 5000, 30_000),
      boot: fc.boolean(),
      wall: fc.constantFrom(0, 0, 0, -60_000, 7000),
    }),
  },
  fc.record({ do: fc.constant("restart" as const), away: fc.constantFrom(0, 300, 9000) }),
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("stop" as const, "start" as const), gateway }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("broker" as const), on: fc.boolean() }) },
  fc.record({ do: fc.constant("acks" as const), on: fc.boolean(), lost: fc.boolean() }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      count: fc.integer({ min: 1, max: 60 }),
      applied: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("store" as const), on: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("behave" as const),
      where,
      as: behaviour,
    }),
  },
  {
    // Long enough for its breaker to open.
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("die" as const),
      where,
      as: fc.constantFrom<Behaviour>({ kind: "silent" }, { kind: "refuse" }),
      ms: fc.integer({ min: 11_000, max: 40_000 }),
    }),
  },
  fc.record({ do: fc.constant("enable" as const), gateway }),
);

/** Plays one step. A machine that boots is away for 20 s at least. */
async function play(rig: Rig, now: Step): Promise<void> {
  const { clock, broker } = rig;
  switch (now.do) {
    case "advance":
      return clock.advance(now.ms);
    case "stall":
      return clock.stall(now.ms);
    case "suspend":
      clock.suspend(now.ms);
      return clock.advance(1);
    case "wall":
      clock.stepWall(now.ms);
      return;
    case "crash":
      rig.store.release();
      rig.crash({ powerCut: now.power, inFlightKept: now.kept });
      await clock.advance(now.boot ? now.away + 20_000 : now.away);
      if (now.boot) {
        rig.reboot();
        clock.stepWall(now.wall);
      }
      rig.broken.push(...keptFaultsOf(rig, WATCHED));
      await rig.start();
      rig.broken.push(...(await forgottenBy(rig)));
      return;
    case "restart":
      rig.store.release();
      rig.store.failNext(0);
      await rig.stop();
      await clock.advance(now.away);
      return rig.start();
    case "die":
      rig.behave(now.where, now.as);
      return clock.advance(now.ms);
    case "stop":
    case "start":
    case "enable":
      void rig.engine.ask(now.do, JSON.stringify({ gateway: now.gateway }), "test");
      return clock.settle();
    case "broker":
      if (now.on) broker.back();
      else broker.away();
      return clock.settle();
    case "acks":
      if (now.on) broker.release();
      else if (now.lost) broker.swallows = true;
      else broker.held = true;
      return clock.settle();
    case "fail":
      rig.store.failNext(now.count, now.applied);
      return;
    case "store":
      if (now.on) rig.store.release();
      else rig.store.hold();
      return clock.settle();
    case "behave":
      rig.behave(now.where, now.as);
      return;
  }
}

async function run(steps: readonly Step[]): Promise<string[]> {
  const rig = new Rig({ gateways: GATEWAYS });
  const watch = new Watch(rig, 2);
  rig.onSeen = (seen) => {
    const { unitId, address } = seen.request;
    // The two of the line tell themselves by interval; those of "e" may overrun, and are left to the ledger.
    if (seen.endpoint === "e") return;
    const id = seen.endpoint === "line" ? (seen.gateway === "b" ? "b" : "a") : seen.endpoint;
    const interval = INTERVALS[id]?.[unitId === 1 ? address / 100 : 0] ?? 0;
    watch.request(seen, { id: `${id}@${String(interval)}`, interval });
  };
  await rig.start();
  for (const now of steps) await play(rig, now);
  rig.store.release();
  rig.store.failNext(0);
  rig.broker.back();
  rig.broker.release();
  for (const where of ["line", "c", "e", "e/1", "e/2"]) rig.behave(where, { kind: "value" });
  void rig.engine.ask("start", '{"gateway":"*"}', "test");
  await rig.clock.advance(40_000);
  const left = await notWell(rig);
  await rig.stop();
  const query = { since: 0 };
  const { validation } = await validateStore(
    { store: rig.store, pause: () => Promise.resolve() },
    query,
  );
  const found = validation.findings.map(({ kind, text }) => `${kind}: ${text}`);
  return [
    ...left,
    ...faultsOf(rig),
    ...found,
    ...rig.errors.filter((text) => /broke off|command failed/.test(text)),
  ];
}

/** What the disk has of breakers that are not closed, and the process that has just begun does not go by. */
async function forgottenBy(rig: Rig): Promise<string[]> {
  const faults: string[] = [];
  for (const { gateway: id, devices } of await healthsOf(rig)) {
    const kept = recordsOf(rig, id);
    for (const device of devices) {
      const { breaker, since, reason } = kept[device.device] ?? {};
      if (breaker === undefined) continue;
      const { nextProbe, distance } = breaker;
      const latest = Math.min(nextProbe ?? Infinity, rig.clock.wall() + distance) + 1;
      const waits = breaker.state === "open" && device.breaker === "open";
      const isKept =
        device.breaker !== "closed" && device.since === since && device.reason === reason;
      if (isKept && (!waits || (device.nextProbe ?? Infinity) <= latest)) continue;
      faults.push(`${id} forgot ${JSON.stringify(kept[device.device])}: ${JSON.stringify(device)}`);
    }
  }
  return faults;
}

/** Devices that do not do well, though everything has been in order for a while. */
async function notWell(rig: Rig): Promise<string[]> {
  return (await healthsOf(rig)).flatMap(({ gateway: id, devices }) =>
    devices
      .filter(({ online, breaker }) => online !== true || breaker !== "closed")
      .map((device) => `${id} has not come back: ${JSON.stringify(device)}`),
  );
}

interface Device {
  readonly device: string;
  readonly online: boolean | null;
  readonly breaker: string;
  readonly since: number;
  readonly reason?: string;
  readonly nextProbe?: number;
}

async function healthsOf(rig: Rig): Promise<{ gateway: string; devices: Device[] }[]> {
  const { data } = await rig.engine.ask("status", "{}", "test");
  // The data of `status`.
  return (data as { gateways: { gateway: string; devices: Device[] }[] }).gateways;
}

test("P1 to P4: whatever happens, no slot is polled twice, each has one outcome, and all is told once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      assert.deepEqual(await run(steps), []);
    }),
    { numRuns: RUNS, includeErrorInReport: true, seed: SEED },
  );
});
