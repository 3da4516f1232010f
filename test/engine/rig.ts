/** A node's engine on ports that obey the test: process after process on one disk, broker and line. */
import type { AuditLooks } from "../../src/engine/audit.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Liveness } from "../../src/engine/liveness.ts";
import type { Reread } from "../../src/engine/reload.ts";
import type { Device, Gateway, Keep, Pauses, Point, Probe, Site } from "../../src/core/model.ts";
import type { Log, ReadRequest } from "../../src/core/ports.ts";
import { createFakeClock, type FakeClock, type FakeClockStart } from "../support/fake-clock.ts";
import { createMemoryStore, type Crash, type MemoryStore } from "../support/memory-store.ts";
import { NO_LOOKS } from "../support/no-looks.ts";
import { FakeBroker, FakeLink, ProcessClock } from "./fakes.ts";
import type { Behaviour, FakeBus, Seen } from "./fakes.ts";

/** A gateway in short: its devices by name, each with the intervals of its points (one point each). */
export interface GatewayInShort {
  readonly id: string;
  readonly devices: Readonly<Record<string, readonly number[]>>;
  /** Default: the id. */
  readonly endpoint?: string;
  readonly phase?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly retain?: boolean;
  /** Of the points of every device, in their order; default: 0, 100, 200 … */
  readonly addresses?: readonly number[];
  readonly pause?: Pauses;
  readonly closeAfterPoll?: boolean;
  /** Default: 10. */
  readonly failureThreshold?: number;
  /** Default: first after 30 s, widening to 5 min. */
  readonly probe?: Probe;
}

/** What a rig is made from. */
export interface RigParts {
  readonly gateways: readonly GatewayInShort[];
  readonly claimAhead?: number;
  readonly clock?: FakeClockStart;
  readonly disabled?: readonly string[];
  readonly keep?: Partial<Keep>;
  /** Limit of the spool, bytes; default: none that a test reaches. */
  readonly spoolBytes?: number;
  /** How long messages wait at most, ms; default: as long as a test can last. */
  readonly spoolAge?: number;
}

/** How an endpoint behaves, whatever is asked or as it is asked. */
export type Behaving = Behaviour | ((request: ReadRequest) => Behaviour);

/** One process. */
interface Life {
  readonly engine: Engine;
  readonly clock: ProcessClock;
  readonly bus: FakeBus;
  alive: boolean;
}

const SILENT_LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** See the head of this file. */
export class Rig {
  readonly clock: FakeClock;
  readonly broker: FakeBroker;
  store: MemoryStore = createMemoryStore();
  /** Requests that the endpoints saw. */
  readonly seen: Seen[] = [];
  /** When connections to endpoints were closed in good order. */
  readonly released: { readonly endpoint: string; readonly at: number }[] = [];
  /** Rules that were broken while it ran. */
  readonly broken: string[] = [];
  /** Why the configuration can't be read again. */
  refused: string | undefined;
  /** Configurations that were read again and not used. */
  dropped = 0;
  /** Signs of life. */
  signs = 0;
  /** Times that the engine gave up the process. */
  givenUp = 0;
  /** What the log said at level error. */
  readonly errors: string[] = [];
  /** What the log said at level debug. */
  readonly details: string[] = [];
  onSeen: (seen: Seen) => void = () => undefined;
  readonly #behaviours = new Map<string, Behaving>();
  parts: RigParts;
  life: Life | undefined;
  lives = 0;
  /** What an audit sees of the machine. */
  looks: AuditLooks = NO_LOOKS;
  /** Size of the store as the system tells it. */
  storeBytes: number | null = null;
  /** Room on the disk as the system tells it. */
  diskRoom: { size: number; free: number } | null = null;
  /** What the system says of its clock, and when the release was built. */
  synced = true;
  built = 0;
  #boot = { id: "boot-1", shift: 0 };
  #boots = 1;

  constructor(parts: RigParts) {
    this.parts = parts;
    this.clock = createFakeClock(parts.clock);
    this.broker = new FakeBroker(this.clock);
  }

  get engine(): Engine {
    if (this.life === undefined) throw new Error("no process runs");
    return this.life.engine;
  }

  /** How an endpoint, or one unit behind it (`endpoint/unit`), behaves from now on. */
  behave(where: string, behaviour: Behaving): void {
    this.#behaviours.set(where, behaviour);
  }

  /** A process starts. */
  async start(): Promise<void> {
    const clock = new ProcessClock(this.clock, this.#boot, (error) => {
      this.life?.engine.uncaught(error);
    });
    const bus = this.broker.bus(clock);
    const number = ++this.lives;
    const lanes = new Map<string, { busy: boolean }>();
    const alive = () => this.life?.clock === clock;
    const linkOf = (gateway: string, endpoint: string) => {
      const lane = lanes.get(endpoint) ?? { busy: false };
      lanes.set(endpoint, lane);
      const seen = (request: ReadRequest) => {
        const one = {
          ...{
            gateway,
            endpoint,
            request,
            at: clock.elapsed(),
            time: this.clock.elapsed(),
            life: number,
          },
        };
        this.seen.push(one);
        this.onSeen(one);
      };
      const behaviour = (request: ReadRequest): Behaviour => {
        const behaving =
          this.#behaviours.get(`${endpoint}/${String(request.unitId)}`) ??
          this.#behaviours.get(endpoint);
        if (behaving === undefined) return { kind: "value" };
        return typeof behaving === "function" ? behaving(request) : behaving;
      };
      const broken = (what: string) => this.broken.push(what);
      const released = () => this.released.push({ endpoint, at: clock.elapsed() });
      return new FakeLink({ clock, alive, behaviour, seen, released, broken }, lane);
    };
    const endpoints = new Map(this.parts.gateways.map(({ id, endpoint = id }) => [id, endpoint]));
    const liveness = new Liveness(clock, () => this.signs++);
    const engine = new Engine({
      site: siteOf(this.parts),
      clock,
      // No jitter, so that tests know when a probe is due.
      random: () => 0,
      log: {
        ...SILENT_LOG,
        error: (fields, text) => this.errors.push(said(fields, text)),
        debug: (fields, text) => this.details.push(said(fields, text)),
      },
      store: liveness.watched(this.store),
      bus,
      endpoint: ({ id }) => {
        const key = endpoints.get(id) ?? id;
        return { key, link: linkOf(id, key) };
      },
      looks: this.looks,
      facts: () => ({ rss: 1, loopDelay: { p50: 0, p99: 0 } }),
      wallClock: { built: this.built, isSynced: () => this.synced },
      storeBytes: () => this.storeBytes,
      diskRoom: () => this.diskRoom,
      self: { version: "0.1.0", started: this.clock.wall(), pid: 1, clientId: "edgepoll-test" },
      giveUp: () => this.givenUp++,
      reread: () => this.#reread(endpoints),
      passed: liveness.passed,
    });
    this.life = { engine, clock, bus, alive: true };
    await bus.open();
    await engine.open();
    await this.clock.settle();
  }

  /** `parts` as they are by now. */
  #reread(endpoints: Map<string, string>): Promise<Reread> {
    const { refused } = this;
    if (refused !== undefined) return Promise.reject(new ConfigError("CONFIG_INVALID", refused));
    const site = siteOf(this.parts);
    const use = () => {
      endpoints.clear();
      for (const { id, endpoint = id } of this.parts.gateways) endpoints.set(id, endpoint);
    };
    const settle = () => Promise.resolve();
    const drop = () => {
      this.dropped++;
      return Promise.resolve();
    };
    return Promise.resolve({ site, use, settle, drop });
  }

  /** The process dies at once. */
  crash(crash: Crash = {}): void {
    this.life?.clock.die();
    this.life?.bus.die();
    this.life = undefined;
    this.store = this.store.crash(crash);
  }

  /** The machine boots anew: elapsed time begins again. */
  reboot(): void {
    this.#boot = { id: `boot-${String(++this.#boots)}`, shift: 5000 - this.clock.elapsed() };
  }

  /** The process ends in order, while time goes on. */
  async stop(): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    const closing = life.engine.close();
    const state = { closed: false };
    void closing.then(() => (state.closed = true));
    for (let i = 0; i < 400 && !state.closed; i++) await this.clock.advance(100);
    if (!state.closed) throw new Error("the engine did not close within 40 s");
    life.clock.die();
    life.bus.die();
    this.life = undefined;
    const disk = this.store;
    await disk.close();
    this.store = createMemoryStore(disk.dump());
  }

  /** Values of the store whose key begins so, by key. */
  disk(prefix: string): Map<string, string> {
    const found = this.store.dump().filter(({ key }) => key.startsWith(prefix));
    return new Map(found.map(({ key, value }) => [key, value]));
  }
}

function said(fields: object, text: string): string {
  return `${text} ${JSON.stringify(fields)}`;
}

/** The model of a site in short. */
export function siteOf({
  gateways,
  claimAhead,
  disabled = [],
  spoolBytes = 1e9,
  spoolAge = 1e12,
  keep = {},
}: RigParts): Site {
  return {
    node: "plant-a",
    stateDir: "/nowhere",
    baseTopic: "polling",
    broker: { kind: "embedded", host: "127.0.0.1", port: 1883 },
    spool: { maxBytes: spoolBytes, maxAge: spoolAge },
    keep: { outcomes: 1e12, audit: 1e12, hourly: 1e12, maxBytes: 1e12, ...keep },
    ...(claimAhead === undefined ? {} : { claimAhead }),
    logLevel: "info",
    gateways: gateways.map(gatewayOf),
    disabledGateways: disabled,
    budget: { warn: 80, refuse: 100 },
    hash: "00",
    withoutEffect: [],
  };
}

function gatewayOf(short: GatewayInShort): Gateway {
  const { id, endpoint = id, devices, phase, timeout, retries = 1, retain = false } = short;
  const { pause, closeAfterPoll = false } = short;
  const { failureThreshold = 10, probe = { first: 30_000, max: 300_000 } } = short;
  return {
    id,
    connection: { kind: "tcp", url: `tcp://${endpoint}:502`, host: endpoint, port: 502 },
    timeout: { default: 1000, ...(timeout === undefined ? {} : { configured: timeout }) },
    ...{ retries, failureThreshold, probe, closeAfterPoll },
    ...(pause === undefined ? {} : { pause }),
    ...(phase === undefined ? {} : { phase }),
    devices: Object.entries(devices).map(([name, intervals], i): Device => {
      return {
        ...{ id: name, unitId: i + 1, retain },
        merge: { maxGap: 8, maxRegisters: 125, maxBits: 2000 },
        points: intervals.map((interval, n) => {
          return pointOf(n, interval, short.addresses?.[n] ?? n * 100);
        }),
      };
    }),
  };
}

function pointOf(n: number, interval: number, address: number): Point {
  return {
    ...{ id: `p${String(n)}`, table: "holding", address, type: "uint16", order: "ABCD" },
    interval,
  };
}
