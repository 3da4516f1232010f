/** The state that a long outage of the broker leaves behind, made by the real engine in accelerated time. */
import { loadConfig } from "../../src/config/load.ts";
import type { Site } from "../../src/core/model.ts";
import type { Bus, BusState, Entry, Link, Store, Write } from "../../src/core/ports.ts";
import { Engine } from "../../src/engine/engine.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { ensureStateDir } from "../../src/system/paths.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { NO_LOOKS } from "../support/no-looks.ts";
import { writeSite, type NodeFiles } from "../support/node-process.ts";

/** Time between the end of the outage as told and the start of the node, ms; what was polled must lie in the past. */
const MARGIN = 120_000;
/** Records written to disk at once. */
const BATCH = 5000;

const POINTS = Array.from({ length: 5 }, (_, n) => {
  return { id: `value-${String(n)}`, table: "holding", address: 2 * n, type: "float32" };
});

/** Writes the configuration of a plant: a gateway for each port, 10 registers, 5 values, every 10 s. */
export function writePlant(
  directory: string,
  { broker, ports, interval }: { broker: string; ports: readonly number[]; interval: number },
): NodeFiles {
  return writeSite(directory, {
    node: "plant",
    mqtt: { broker, spool: { maxBytes: "4GiB" } },
    log: { level: "warn" },
    defaults: { interval: `${String(interval)}ms` },
    gateways: ports.map((port, n) => ({
      id: `gateway-${String(n)}`,
      connection: `tcp://127.0.0.1:${String(port)}`,
      devices: [{ id: "unit", unitId: 1, points: POINTS }],
    })),
  });
}

/** Polls the plant `slots` times without a broker and leaves ledger and spool in the state directory. */
export async function fillState(files: NodeFiles, slots: number): Promise<void> {
  const host = { hostName: "plant", defaultStateDir: () => files.stateDir };
  const { site } = loadConfig(files.config, () => undefined, host);
  const length = slots * Math.max(...site.gateways.map(({ devices }) => intervalOf(devices)));
  const store = new FillStore();
  await pollWithoutBroker(site, store, length);
  ensureStateDir(files.stateDir);
  const disk = await openLevelStore(files.stateDir, { create: true, clock: createClock() });
  const entries = store.entries();
  for (let from = 0; from < entries.length; from += BATCH) {
    await disk.write(entries.slice(from, from + BATCH), from + BATCH >= entries.length);
  }
  await disk.close();
}

function intervalOf(devices: Site["gateways"][number]["devices"]): number {
  return Math.max(...devices.flatMap(({ points }) => points.map(({ interval }) => interval)));
}

async function pollWithoutBroker(site: Site, store: FillStore, length: number): Promise<void> {
  const clock = createFakeClock({ wall: Date.now() - length - MARGIN, bootId: "before" });
  const words = new Uint16Array(10).map((_, n) => 0x4200 + n);
  const link: Link = {
    read: () => {
      const now = clock.elapsed();
      return Promise.resolve({ ok: true, words, sentAt: now, endedAt: now });
    },
    write: () => Promise.reject(new Error("nothing is written here")),
    release: () => undefined,
    close: () => Promise.resolve(),
  };
  const silent = () => undefined;
  const engine = new Engine({
    ...{ site, clock, store, bus: awayBus() },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    endpoint: ({ id }) => ({ key: id, link }),
    looks: NO_LOOKS,
    facts: () => ({ rss: 1, loopDelay: { p50: 0, p99: 0 } }),
    wallClock: { built: 0, isSynced: () => true },
    storeBytes: () => null,
    diskRoom: () => null,
    giveUp: () => undefined,
    reread: () => Promise.reject(new Error("nothing is read again here")),
    passed: () => undefined,
    random: () => 0.5,
    self: { version: "0.1.0", started: clock.wall(), pid: 1, clientId: "before" },
  });
  await engine.open();
  store.begin();
  await clock.advance(length);
  const closing = engine.close();
  await clock.advance(5000);
  await closing;
}

function awayBus(): Bus {
  const reason = "away";
  const state: BusState = {
    ...{ connected: false, version: 5, durable: true, commands: false, since: 0, reason },
  };
  return {
    ...{ state, window: 20 },
    publish: () => Promise.reject(new Error(reason)),
    retained: () => Promise.resolve({ topics: [], unseen: [] }),
    onState: () => undefined,
    onMessage: () => undefined,
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/**
 * A store that is new and then only written: a proof or retention would read all of it every few minutes
 * of a day that passes in seconds, and says so in vain.
 */
class FillStore implements Store {
  readonly #values = new Map<string, string>();
  #begun = false;

  /** The engine is open: what it asks for from now on is not told. */
  begin(): void {
    this.#begun = true;
  }

  write(batch: readonly Write[]): Promise<void> {
    for (const { key, value } of batch) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
    }
    return Promise.resolve();
  }

  get(key: string): Promise<string | undefined> {
    return Promise.resolve(this.#values.get(key));
  }

  range(): Promise<Entry[]> {
    return this.#begun
      ? Promise.reject(new Error("not read while it is filled"))
      : Promise.resolve([]);
  }

  async *scan(): AsyncGenerator<readonly Entry[]> {
    yield* [await this.range()];
  }

  compact(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** All that it holds, in order. */
  entries(): Entry[] {
    return [...this.#values.keys()]
      .sort()
      .map((key) => ({ key, value: this.#values.get(key) ?? "" }));
  }
}
