/** A node whose clocks are not those of the machine: one gateway, an external broker, and who watches them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { validateOffline } from "../../src/app/offline.ts";
import type { ScheduleRow } from "../../src/core/validation.ts";
import { delivered, serialPoints } from "../e2e/site.ts";
import { followMessages } from "../support/history-told.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeFiles, type NodeProcess } from "../support/node-process.ts";
import { OtherClock } from "../support/other-time.ts";
import { startSlave, type LoggedRequest, type Slave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** ms. */
export const INTERVAL = 250;

/** A reading as told. */
export interface Reading {
  readonly epoch: number;
  readonly seq: number;
  readonly slot: number;
  readonly quality: string;
  readonly clock?: string;
  readonly values: { readonly serial3?: number };
}

/** A gap as told. */
export interface Gap {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** The event of a step as told. */
interface StepEvent {
  readonly kind: string;
  readonly data: { readonly size: number; readonly schedules: readonly { seq: number }[] };
}

/** What came of it all. */
export interface ClockVerdict {
  readonly row: ScheduleRow;
  /** Epochs by rising number. */
  readonly epochs: readonly number[];
  readonly steps: readonly number[];
  readonly gaps: readonly Gap[];
  /** Requests of one function code, one a poll. */
  readonly requests: readonly LoggedRequest[];
  /** In short, for the table. */
  readonly counts: string;
}

/** See the head of this file. */
export class ClockPlant {
  readonly directory: string;
  readonly clock: OtherClock;
  readonly subscriber: Subscriber;
  readonly #t: TestContext;
  readonly #files: NodeFiles;
  readonly #port: number;
  readonly #slave: Slave;
  #node: NodeProcess | undefined;

  private constructor(
    t: TestContext,
    parts: { directory: string; files: NodeFiles; port: number; slave: Slave; sub: Subscriber },
  ) {
    this.#t = t;
    this.directory = parts.directory;
    this.#files = parts.files;
    this.#port = parts.port;
    this.#slave = parts.slave;
    this.subscriber = parts.sub;
    this.clock = new OtherClock(parts.directory);
  }

  /** A plant whose node does not run yet. */
  static async create(t: TestContext): Promise<ClockPlant> {
    const directory = createTempDir(t);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const { port } = broker;
    const slave = await startSlave({ ports: 1, logFile: join(directory, "requests.jsonl") });
    t.after(() => slave.stop());
    const sub = await startSubscriber(t, { port, filter: "polling/#" });
    const files = writeSite(join(directory, "node"), {
      node: "clocks",
      mqtt: { broker: broker.url },
      gateways: slave.ports.map((own) => ({
        ...{ id: "g", interval: `${String(INTERVAL)}ms`, timeout: "2s", retries: 0 },
        connection: `tcp://127.0.0.1:${String(own)}`,
        devices: [{ id: "unit", unitId: 1, points: serialPoints }],
      })),
    });
    return new ClockPlant(t, { directory, files, port, slave, sub });
  }

  get node(): NodeProcess {
    if (this.#node === undefined) throw new Error("no node was started");
    return this.#node;
  }

  /**
   * A node starts, with other words before the program if need be; gives back some of its readings, none of
   * those that the node before it had polled and not delivered.
   */
  async live(count: number, before: readonly string[] = []): Promise<Reading[]> {
    const from = this.subscriber.log.length;
    const asked = this.#slave.log(this.#slave.ports[0]).length;
    this.#node = startNode(this.#t, this.#files, { env: this.clock.env, before });
    await this.#node.started;
    return this.#read(count, from, ({ values }) => (values.serial3 ?? 0) > asked);
  }

  /** So many readings from a place in the log on, none that came before, of slots after `seq`. */
  async read(count: number, from = this.subscriber.log.length, seq = 0): Promise<Reading[]> {
    const known = new Set(this.#readings(0, from).map(identity));
    return this.#read(count, from, (one) => one.seq > seq && !known.has(identity(one)));
  }

  async #read(count: number, from: number, isMeant: (one: Reading) => boolean): Promise<Reading[]> {
    const found = () => this.#readings(from).filter(isMeant);
    await this.subscriber.until(`${String(count)} readings`, () => found().length >= count);
    return found();
  }

  /** The event of a step, from a place in the log on. */
  async step(from: number): Promise<StepEvent> {
    const found = await this.subscriber.first(
      "the event of a step",
      (message) => message.topic === "polling/node/events" && isStep(jsonOf(message)),
      from,
    );
    return jsonOf<StepEvent>(found);
  }

  /** Ends the node in order and holds slave, messages and ledger against each other. */
  async verdict(): Promise<ClockVerdict> {
    assert.equal(await this.node.stop(), 0, this.node.output());
    await delivered(this.subscriber, this.#port);
    const { log } = this.subscriber;
    assert.deepEqual(followMessages({ messages: log }).violations, []);
    const { findings, schedules } = await validateOffline(this.#files.stateDir, { since: 0 });
    assert.deepEqual(findings, []);
    const [row] = schedules;
    assert.ok(row !== undefined);
    const readings = unique(this.#readings(0));
    const serials = readings.flatMap(({ values }) => values.serial3 ?? []);
    assert.equal(new Set(serials).size, serials.length, "no answer stands in two readings");
    const requests = this.#slave.log(this.#slave.ports[0]).filter(({ fc }) => fc === 3);
    const polled = row.good + row.partial + row.failed;
    assert.ok(requests.length >= row.good, "every value was asked for");
    assert.ok(requests.length <= polled + row.unknown, "no slot was asked for twice");
    const steps = messagesOf<StepEvent>(log, "node/events").filter(isStep);
    const counts = `${String(row.due)} slots: ${String(polled)} polled, ${String(missedOf(row))} missed, ${String(row.unknown)} unknown; ${String(requests.length)} requests, 0 twice`;
    return {
      ...{ row, requests, counts },
      epochs: [...new Set(readings.map(({ epoch }) => epoch))],
      steps: steps.map(({ data }) => data.size),
      gaps: messagesOf<Gap>(log, "gaps/g"),
    };
  }

  #readings(from: number, to?: number): Reading[] {
    return messagesOf<Reading>(this.subscriber.log.slice(from, to), "readings/g/unit");
  }
}

/** ms between first and last of these requests, by the machine's clock. */
export function spanOf(requests: readonly LoggedRequest[]): number {
  const [first, last] = [requests[0], requests.at(-1)];
  return first === undefined || last === undefined ? 0 : (Number(last.t) - Number(first.t)) / 1e6;
}

function messagesOf<T>(log: Subscriber["log"], topic: string): T[] {
  // Asked for by topics that carry such objects.
  return log.filter((one) => one.topic === `polling/${topic}`).map((one) => jsonOf<T>(one));
}

function isStep(event: Pick<StepEvent, "kind">): boolean {
  return event.kind === "clock-step";
}

function identity({ epoch, seq }: Reading): string {
  return `${String(epoch)} ${String(seq)}`;
}

function unique(readings: readonly Reading[]): Reading[] {
  return [...new Map(readings.map((one) => [identity(one), one])).values()];
}

function missedOf({ missed }: ScheduleRow): number {
  return Object.values(missed).reduce((sum, of) => sum + of, 0);
}
