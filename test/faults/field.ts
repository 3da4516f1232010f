/** A node with many gateways, each to be given its own fault, and the witnesses of what it does. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Fault, FaultStep } from "../../src/core/fault.ts";
import { delivered, serialPoints, wireOf } from "../e2e/site.ts";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import {
  checkHistory,
  type LedgerAccount,
  type Verdict,
  type WireRequest,
} from "../support/history.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeProcess } from "../support/node-process.ts";
import { startSlave, type LoggedRequest, type LogLine, type Slave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** ms, of a gateway that says nothing else. */
const INTERVAL = 500;
const TIMEOUT = 240;
/** After a fault a gateway is back within two intervals, and has at least so long (ms). */
const RECOVERY = 2000;

/** The same points under names that the checker of histories does not follow. */
const ownPoints = serialPoints.map((point) => ({
  ...point,
  id: point.id.replace("serial", "count"),
}));

/** What a gateway of the field has of its own; times in ms. */
export interface GatewayKeys {
  readonly interval?: number;
  readonly timeout?: number;
  /** Whether a fault proxy stands between node and slave. */
  readonly proxied?: boolean;
  readonly retries?: number;
  readonly failureThreshold?: number;
  readonly probe?: { readonly first: string; readonly max: string };
  /** The name that stands in its connection; default the loopback address. */
  readonly host?: string;
  /** Polls outlast their slots or are retried, so that no checker can place requests by their time: its row looks at them. */
  readonly unplaced?: boolean;
}

/** A reading as published, as far as the rows look at it. */
export interface SeenReading {
  readonly seq: number;
  readonly slot: number;
  readonly ts: number;
  readonly quality: "good" | "uncertain" | "bad";
  readonly reason?: string;
  readonly exception?: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** One gateway and its device. */
export class FieldGateway {
  readonly id: string;
  readonly interval: number;
  readonly #port: number;
  readonly #proxy: FaultProxy | undefined;
  readonly #slave: Slave;
  readonly #subscriber: Subscriber;
  readonly #node: () => NodeProcess;

  constructor(
    id: string,
    parts: {
      interval: number;
      port: number;
      proxy: FaultProxy | undefined;
      slave: Slave;
      subscriber: Subscriber;
      /** There once the gateway is polled. */
      node: () => NodeProcess;
    },
  ) {
    this.id = id;
    this.interval = parts.interval;
    this.#port = parts.port;
    this.#proxy = parts.proxy;
    this.#slave = parts.slave;
    this.#subscriber = parts.subscriber;
    this.#node = parts.node;
  }

  /** Where the device listens. */
  get port(): number {
    return this.#port;
  }

  /** The proxy in front of the device. */
  get proxy(): FaultProxy {
    assert.ok(this.#proxy, `${this.id} has no proxy`);
    return this.#proxy;
  }

  /** The requests that the device has received. */
  requests(): LoggedRequest[] {
    return this.#slave.log(this.#port);
  }

  /** The connections that the device has seen come and go. */
  connections(): LogLine[] {
    return this.#slave.connections(this.#port);
  }

  /** Connections accepted by the device so far. */
  opened(): number {
    return this.connections().filter(({ event }) => event === "open").length;
  }

  /** Gives the device a fault, and settles with the next readings, all due after that. */
  async under(fault: Fault, polls: number): Promise<SeenReading[]> {
    await this.fault(fault);
    return this.next(polls);
  }

  /** Gives the device a fault. */
  fault(fault: Fault): Promise<void> {
    return this.#slave.fault(this.#port, fault);
  }

  /** Gives the device a sequence of faults. */
  script(steps: readonly FaultStep[]): Promise<void> {
    return this.#slave.script(this.#port, steps);
  }

  /** The next readings, of slots that are due from now on. */
  async next(polls: number): Promise<SeenReading[]> {
    const now = Date.now();
    const found = (): SeenReading[] => this.readings().filter(({ slot }) => slot > now);
    const what = `${String(polls)} readings of ${this.id}`;
    await this.#subscriber.until(what, () => found().length >= polls);
    return found().slice(0, polls);
  }

  /** Ends the fault; settles with how many slots were due until one was good, which must be soon. */
  async recovers(): Promise<string> {
    this.#proxy?.damage("up", {});
    this.#proxy?.damage("down", {});
    await this.fault({ kind: "normal" });
    const healed = Date.now();
    const isGood = ({ slot, quality }: SeenReading): boolean => slot > healed && quality === "good";
    await this.#subscriber.until(`${this.id} to be good again`, () => this.readings().some(isGood));
    const slot = this.readings().find(isGood)?.slot ?? Infinity;
    const most = Math.max(RECOVERY, 2 * this.interval);
    assert.ok(slot - healed <= most, `${this.id} was good after ${String(slot - healed)} ms`);
    return `good again in slot ${String(Math.ceil((slot - healed) / this.interval))} after it`;
  }

  /** What the log says its failed requests met, a line for each change; waits until it says that all are answered again. */
  async details(): Promise<string[]> {
    const own = `"gateway":"${this.id}"`;
    await this.#node().said(new RegExp(`${own}.*"msg":"All requests are answered again\\."`));
    const lines = this.#node().output().split("\n");
    return lines.flatMap((line) => {
      if (!line.includes(own) || !line.includes('"msg":"A request failed."')) return [];
      // A line that has both was written by the log.
      return [(JSON.parse(line) as { detail: string }).detail];
    });
  }

  /** Times at which the proxy got the requests, by their bytes (a transaction id makes them unlike). */
  sentAt(): ReadonlyMap<string, number> {
    const lines = this.#proxy?.log ?? [];
    return new Map(
      lines.flatMap((line): [string, number][] =>
        line.event === "in" && line.direction === "up"
          ? [[line.bytes.toString("hex"), performance.timeOrigin + line.t]]
          : [],
      ),
    );
  }

  /** All readings so far. */
  readings(): SeenReading[] {
    const topic = `polling/readings/${this.id}/unit`;
    const own = this.#subscriber.log.filter((message) => message.topic === topic);
    return own.map((message) => jsonOf<SeenReading>(message));
  }
}

/** What a field has besides its gateways. */
export interface Surroundings {
  /** Hosts of further gateways, which nobody looks at. */
  readonly silent?: readonly string[];
  /** The name by which the node knows the broker; default the loopback address. */
  readonly broker?: string;
}

/** A field whose node runs and has polled every gateway. */
export interface Field {
  gateway(id: string): FieldGateway;
  /** Ends the broker and starts it again; settles when the subscriber is back, and the node after it. */
  restartBroker(): Promise<void>;
  readonly subscriber: Subscriber;
  /** Port of the broker. */
  readonly port: number;
  /** Ends the node, which must succeed; settles with its ledger. */
  ledger(): Promise<LedgerAccount[]>;
  /** Ends the node; settles with what all witnesses together say of its whole life. */
  verdict(): Promise<Verdict>;
}

/** Starts a field; it ends with the test. */
export async function startField(
  test: Pick<TestContext, "after">,
  gateways: Readonly<Record<string, GatewayKeys>>,
  { silent = [], broker: brokerHost = "127.0.0.1" }: Surroundings = {},
): Promise<Field> {
  const directory = createTempDir(test);
  const broker = await startMosquitto();
  test.after(() => broker.remove());
  const ids = Object.keys(gateways);
  const logFile = join(directory, "requests.jsonl");
  const slave = await startSlave({ ports: ids.length, logFile });
  test.after(() => slave.stop());
  const subscriber = await startSubscriber(test, { port: broker.port, filter: "polling/#" });
  const all = await Promise.all(
    Object.entries(gateways).map(async ([id, { interval = INTERVAL, proxied }], n) => {
      const port = slave.ports[n] ?? 0;
      const proxy = proxied === true ? await startFaultProxy(test, port) : undefined;
      return new FieldGateway(id, { interval, port, proxy, slave, subscriber, node: () => node });
    }),
  );
  const files = writeSite(join(directory, "node"), {
    node: "field",
    log: { level: "debug" },
    mqtt: { broker: `mqtt://${brokerHost}:${String(broker.port)}` },
    gateways: [
      ...all.map(({ id, interval }, n) => {
        const keys = gateways[id] ?? {};
        const { failureThreshold, probe } = keys;
        const { timeout = TIMEOUT, proxied, retries = 0, unplaced, host = "127.0.0.1" } = keys;
        const port = proxied === true ? all[n]?.proxy.port : slave.ports[n];
        return {
          id,
          connection: `tcp://${host}:${String(port)}`,
          interval: `${String(interval)}ms`,
          timeout: `${String(timeout)}ms`,
          retries,
          failureThreshold,
          probe,
          devices: [
            { id: "unit", unitId: 1, points: unplaced === true ? ownPoints : serialPoints },
          ],
        };
      }),
      ...silent.map((host, n) => ({
        id: `silent-${String(n)}`,
        connection: `tcp://${host}:502`,
        interval: `${String(INTERVAL)}ms`,
        devices: [{ id: "unit", unitId: 1, points: ownPoints }],
      })),
    ],
  });
  const node = startNode(test, files);
  await node.started;
  await Promise.all(all.map((gateway) => gateway.next(1)));

  const requests = (): WireRequest[] => {
    const sent = new Map(all.map((gateway) => [gateway.id, gateway.sentAt()]));
    const byWire = wireOf(slave, (n) => ids[n] ?? "");
    return slave.log().flatMap(({ raw }, n) => {
      const request = byWire[n];
      if (request === undefined || gateways[request.gateway]?.unplaced === true) return [];
      return [{ ...request, at: sent.get(request.gateway)?.get(raw) ?? request.at }];
    });
  };
  const ledger = async (): Promise<LedgerAccount[]> => {
    assert.equal(await node.stop(), 0, node.output());
    return readLedger(files.stateDir);
  };
  return {
    subscriber,
    port: broker.port,
    ledger,
    gateway: (id) => {
      const found = all.find((gateway) => gateway.id === id);
      assert.ok(found, `no gateway ${id}`);
      return found;
    },
    restartBroker: async () => {
      await broker.stop();
      await broker.restart();
    },
    verdict: async () => {
      const accounts = await ledger();
      await delivered(subscriber, broker.port);
      return checkHistory({
        intervals: new Map(all.map(({ id, interval }) => [id, interval])),
        kills: 0,
        requests: requests(),
        messages: subscriber.log,
        ledger: accounts,
      });
    },
  };
}
