/**
 * The engine with a real connection to a broker, in the test's own process and faster than life: its
 * clock runs `speed` times as fast, for the bus as well. Devices answer at once; the disk is memory.
 */
import type { TestContext } from "node:test";
import type { NodeHealth } from "../../src/core/payloads.ts";
import type { Bus, Clock, Link, Log } from "../../src/core/ports.ts";
import { Engine } from "../../src/engine/engine.ts";
import { createExternalBus } from "../../src/mqtt/external-bus.ts";
import { createClock } from "../../src/system/clock.ts";
import { siteOf } from "../engine/rig.ts";
import { checkHistory, type Verdict } from "./history.ts";
import { ledgerOf, waitingIn } from "./ledger-reader.ts";
import { createMemoryStore } from "./memory-store.ts";
import { NO_LOOKS } from "./no-looks.ts";

/** What a station is made from. */
export interface StationParts {
  /** Of the broker. */
  readonly url: string;
  /** Ids of gateways with one device `d` each, and how many points that has. */
  readonly gateways: Readonly<Record<string, number>>;
  /** ms of the fast clock; default 1000. */
  readonly interval?: number;
  /** Default 10. */
  readonly speed?: number;
}

/** A running station. */
export interface Station {
  readonly bus: Bus;
  /** Lines of the log at level warn and error. */
  readonly complaints: readonly string[];
  /** Connects that came about so far. */
  connects(): number;
  /** Polls of all gateways so far. */
  polls(): number;
  /** Settles when there were so many further polls. */
  polled(further: number): Promise<void>;
  health(): Promise<NodeHealth>;
  /** Ends the engine, but not the bus. */
  stop(): Promise<void>;
  /** What the messages, delivered or left in the spool, and the ledger say of each other; after `stop`. */
  verdict(messages: readonly { topic: string; payload: string }[]): Verdict;
}

/** The client id of every station. */
export const CLIENT_ID = "edgepoll-station";

/** Starts a station; it ends with the test at the latest. */
export async function startStation(t: TestContext, parts: StationParts): Promise<Station> {
  const { url, interval = 1000, speed = 10 } = parts;
  const clock = fastClock(speed);
  const store = createMemoryStore();
  const complaints: string[] = [];
  const watchers = new Set<() => void>();
  let polls = 0;
  const log = logTo(complaints);
  const bus = createExternalBus({
    ...{ url, clientId: CLIENT_ID, clock, log },
    commandFilter: "polling/cmd/+",
    will: { topic: "polling/node/state", payload: "offline", qos: 1, retain: true },
  });
  const gateways = Object.entries(parts.gateways).map(([id, points]) => {
    return { id, devices: { d: Array<number>(points).fill(interval) } };
  });
  const engine = new Engine({
    ...{ site: siteOf({ gateways }), clock, log, store, bus, random: () => 0 },
    endpoint: ({ id }) => ({
      key: id,
      link: answeringLink(clock, (address) => {
        if (address === 0) polls += 1;
        for (const look of watchers) look();
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
    self: { version: "0.1.0", started: clock.wall(), pid: 1, clientId: CLIENT_ID },
  });
  let connects = 0;
  let wasConnected = false;
  bus.onState(({ connected }) => {
    if (connected && !wasConnected) connects += 1;
    wasConnected = connected;
  });
  await bus.open();
  await engine.open();
  let ended: Promise<void> | undefined;
  const stop = (): Promise<void> => (ended ??= engine.close());
  t.after(async () => {
    await bus.close();
    await stop();
  });
  return {
    ...{ bus, complaints, stop },
    connects: () => connects,
    polls: () => polls,
    polled: (further) => {
      const goal = polls + further;
      return new Promise((resolve) => {
        const look = (): void => {
          if (polls < goal) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
      });
    },
    health: async () => {
      const reply = await engine.ask("status", "{}", "test");
      // The data of `status`.
      return (reply as unknown as { data: { node: NodeHealth } }).data.node;
    },
    verdict: (messages) => {
      const records = store.dump().map(({ key, value }) => [key, value] as const);
      return checkHistory({
        intervals: new Map(gateways.map(({ id }) => [id, interval])),
        ...{ kills: 0, requests: [], messages: [...messages, ...waitingIn(records)] },
        ledger: ledgerOf(records),
      });
    },
  };
}

function fastClock(speed: number): Clock {
  const clock = createClock();
  const wall = clock.wall();
  const began = clock.elapsed();
  const passed = (): number => (clock.elapsed() - began) * speed;
  return {
    bootId: "station",
    wall: () => wall + passed(),
    elapsed: () => began + passed(),
    noticeSuspend: () => 0,
    timer: (delay, wake) => clock.timer(Math.max(1, Math.round(delay / speed)), wake),
  };
}

/** A link whose device holds zeros. */
function answeringLink(clock: Clock, asked: (address: number) => void): Link {
  return {
    read: ({ address, count }) => {
      asked(address);
      const now = clock.elapsed();
      const words = new Uint16Array(count);
      return Promise.resolve({ ok: true, words, sentAt: now, endedAt: now });
    },
    write: () => Promise.reject(new Error("nothing is written here")),
    release: () => undefined,
    close: () => Promise.resolve(),
  };
}

function logTo(complaints: string[]): Log {
  const quiet = (): void => undefined;
  const say = (fields: object, text: string): void => {
    complaints.push(`${text} ${JSON.stringify(fields)}`);
  };
  return { debug: quiet, info: quiet, warn: say, error: say };
}
