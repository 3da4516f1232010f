/**
 * The engine over the real store, its time a fake clock that waits for the disk: a fault comes at
 * exactly the write that is meant. For a process whose disk obeys (`fault-disk.ts`).
 */
import assert from "node:assert/strict";
import type { NodeHealth } from "../../src/core/payloads.ts";
import type { Clock, Link, Log, Store, Write } from "../../src/core/ports.ts";
import { decodeClaim, keys } from "../../src/core/records.ts";
import { Engine } from "../../src/engine/engine.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { FakeBroker } from "../engine/fakes.ts";
import { siteOf } from "../engine/rig.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { NO_LOOKS } from "./no-looks.ts";

/** ms of every schedule. */
export const INTERVAL = 1000;
/** ms after which a device answers. */
const ANSWER = 100;
const GATEWAYS = ["a", "b"];

/** A request as the device saw it. */
export interface Asked {
  readonly gateway: string;
  readonly at: number;
  /** Nominal time of the slot it was sent in. */
  readonly slot: number;
}

/** A running station. */
export interface DiskStation {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly asked: readonly Asked[];
  /** What was broken of P1: requests without a claim that the disk has confirmed, and second ones. */
  readonly broken: readonly string[];
  /** Called when a device was asked, before it answers. */
  onAsked: () => void;
  /** Called before a batch is handed to the store. */
  onWrite: (batch: readonly Write[]) => void;
  /** What every key holds for certain, or may hold since a write of it failed. */
  held(): ReadonlyMap<string, ReadonlySet<string | undefined>>;
  health(): Promise<NodeHealth>;
  /** Ends engine and store in order. */
  stop(): Promise<void>;
}

/** Starts a station with two gateways on a state directory. */
export async function startDiskStation(directory: string): Promise<DiskStation> {
  let busy = 0;
  const clock = createFakeClock({ isBusy: () => busy > 0 });
  const working = <T>(work: Promise<T>): Promise<T> => {
    busy += 1;
    return work.finally(() => (busy -= 1));
  };
  const store = await openLevelStore(directory, { create: true, clock: createClock() });
  const held = new Map<string, Set<string | undefined>>();
  const watched: Store = {
    write: async (batch, sync) => {
      station.onWrite(batch);
      for (const { key, value } of batch) held.set(key, (held.get(key) ?? new Set()).add(value));
      await working(store.write(batch, sync));
      for (const { key, value } of batch) held.set(key, new Set([value]));
    },
    get: (key) => working(store.get(key)),
    range: (range) => working(store.range(range)),
    scan: (range) => store.scan(range),
    compact: (range) => working(store.compact(range)),
    close: () => working(store.close()),
  };
  const asked: Asked[] = [];
  const broken: string[] = [];
  const seen = (gateway: string): void => {
    const phase = phaseOf(gateway);
    const slot = Math.floor((clock.wall() - phase) / INTERVAL) * INTERVAL + phase;
    if (asked.some((one) => one.gateway === gateway && one.slot === slot)) {
      broken.push(`${gateway} was asked twice in slot ${String(slot)}`);
    }
    // A claim that is on its way, or that failed, leaves more than one thing the key may hold.
    const claims = [...(held.get(keys.claim(`${gateway}@${String(INTERVAL)}`)) ?? [])];
    const isClaimed = claims.every((text) => text !== undefined && decodeClaim(text).slot >= slot);
    if (claims.length === 0 || !isClaimed) {
      broken.push(`${gateway} was asked in slot ${String(slot)}, which is not claimed for certain`);
    }
    asked.push({ gateway, at: clock.elapsed(), slot });
    station.onAsked();
  };
  const bus = new FakeBroker(clock).bus(clock);
  const engine = new Engine({
    site: siteOf({
      gateways: GATEWAYS.map((id) => ({ id, devices: { d: [INTERVAL] }, phase: phaseOf(id) })),
    }),
    ...{ clock, log: SILENT, store: watched, bus, random: () => 0 },
    endpoint: ({ id }) => ({
      key: id,
      link: linkOf(clock, () => {
        seen(id);
      }),
    }),
    looks: NO_LOOKS,
    facts: () => ({ rss: 1, loopDelay: { p50: 0, p99: 0 } }),
    wallClock: { built: 0, isSynced: () => true },
    storeBytes: () => null,
    diskRoom: () => null,
    giveUp: () => undefined,
    reread: () => Promise.reject(new Error("nothing is read again here")),
    passed: () => undefined,
    self: { version: "0.1.0", started: clock.wall(), pid: 1, clientId: "edgepoll-disk" },
  });
  const station: DiskStation = {
    ...{ clock, store: watched, asked, broken, held: () => held },
    ...{ onAsked: () => undefined, onWrite: () => undefined },
    health: async () => {
      const reply = await engine.ask("status", "{}", "test");
      // The data of `status`.
      return (reply as unknown as { data: { node: NodeHealth } }).data.node;
    },
    stop: async () => {
      const state = { closed: false };
      const closing = engine.close().then(() => (state.closed = true));
      for (let n = 0; n < 400 && !state.closed; n += 1) await clock.advance(100);
      assert.ok(state.closed, "the engine did not close within 40 s");
      await closing;
      await store.close();
    },
  };
  await bus.open();
  await engine.open();
  return station;
}

function linkOf(clock: Clock, seen: () => void): Link {
  return {
    read: async ({ count }) => {
      const sentAt = clock.elapsed();
      seen();
      await new Promise<void>((resolve) => clock.timer(ANSWER, resolve));
      return { ok: true, words: new Uint16Array(count), sentAt, endedAt: clock.elapsed() };
    },
    write: () => Promise.reject(new Error("nothing is written here")),
    release: () => undefined,
    close: () => Promise.resolve(),
  };
}

function phaseOf(gateway: string): number {
  return GATEWAYS.indexOf(gateway) * 250;
}

const quiet = (): void => undefined;
const SILENT: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
