/**
 * Kills nodes at random moments, and cuts the power with them if told. Several nodes at once, each with
 * gateways, slave ports and a state directory of its own; one broker, one subscriber.
 */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import { readSite } from "../../src/app/site.ts";
import { delivered, pollsOf, seededRandom, serialPoints, wireOf } from "../e2e/site.ts";
import type { History } from "./history.ts";
import { readRecords, ledgerOf, waitingIn } from "./ledger-reader.ts";
import { startMosquitto, type Mosquitto } from "./mosquitto.ts";
import {
  startNode,
  startProgram,
  writeSite,
  type NodeFiles,
  type NodeProcess,
} from "./node-process.ts";
import { SEED } from "./seed.ts";
import { readRecord, UnsureDisk, type Shim } from "./shim.ts";
import { startSlave, type Slave } from "./slave.ts";
import { startSubscriber, type Subscriber } from "./subscriber.ts";
import { createTempDir } from "./temp-dir.ts";

const PROGRAM = fileURLToPath(new URL("killed-node.js", import.meta.url));
/** Every so many lives it is the whole program; the others are without its command line, and start sooner. */
const WHOLE = 10;
/** Share of the lives that end before the node says that it runs. */
const EARLY = 0.25;

/** How a gateway is polled, and how long its device takes to answer, ms. */
export interface Kind {
  readonly interval: number;
  readonly delay: number;
}

/**
 * Half of the gateways are polled often; the others so seldom that a restart falls into the grace of
 * their slots. All answer slowly, so that many requests are in flight at any moment.
 */
const USUAL: readonly Kind[] = [
  { interval: 300, delay: 15 },
  { interval: 2000, delay: 80 },
];

/** What is to be done. */
export interface KillPlan {
  /** Of all nodes together. */
  readonly kills: number;
  /** Nodes at once. */
  readonly shards: number;
  /** Of each node. */
  readonly gateways: number;
  /** The gateways have these by turns. */
  readonly kinds: readonly Kind[];
  /** Of a request, ms. */
  readonly timeout: number;
  /** ms a node that runs lives at most until it is killed. */
  readonly life: number;
  /** Polls of every gateway at the end, when nothing is killed any more and all devices answer at once. */
  readonly polls: number;
  /** The same seed kills at the same moments. */
  readonly seed: number;
  /** Cuts the power with each kill. */
  readonly shim?: Shim;
  /** One of `wrong-designs.js`. */
  readonly design?: string;
}

/** 200 kills of nodes with 20 gateways, if the environment says nothing else. */
export function killPlan(): KillPlan {
  const { EDGEPOLL_KILLS: kills } = process.env;
  return {
    kills: Number(kills ?? 200),
    shards: 4,
    gateways: 20,
    kinds: USUAL,
    timeout: 1000,
    life: 700,
    polls: 2,
    seed: SEED,
  };
}

/** What was done to one node, and what its witnesses saw. */
export interface KilledHistory {
  readonly history: History;
  readonly stateDir: string;
  /** Kills before the node said that it runs. */
  readonly early: number;
  /** Files with an end that was cut, and those that then ended in garbage. */
  readonly cut: { readonly files: number; readonly torn: number; readonly holed: number };
}

/** Kills as planned; settles with the histories when all nodes have polled, delivered and ended in peace once more. */
export async function killOften(t: TestContext, plan: KillPlan): Promise<KilledHistory[]> {
  const directory = createTempDir(t);
  const broker = await startMosquitto();
  t.after(() => broker.remove());
  const logFile = join(directory, "requests.jsonl");
  const slave = await startSlave({ ports: plan.shards * plan.gateways, logFile });
  t.after(() => slave.stop());
  const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
  const world = { t, plan, directory, broker, slave, subscriber };
  const shards = Array.from({ length: plan.shards }, (_, n) => new Shard(world, n));
  const shares = shards.map((_, n) => Math.ceil((plan.kills - n) / plan.shards));
  await Promise.all(shards.map((shard, n) => shard.run(shares[n] ?? 0)));
  await delivered(subscriber, broker.port);
  return Promise.all(shards.map((shard) => shard.told()));
}

interface World {
  readonly t: TestContext;
  readonly plan: KillPlan;
  readonly directory: string;
  readonly broker: Mosquitto;
  readonly slave: Slave;
  readonly subscriber: Subscriber;
}

/** One node of several. */
class Shard {
  readonly #world: World;
  readonly #names: readonly string[];
  readonly #ports: readonly number[];
  readonly #files: NodeFiles;
  readonly #site: string;
  readonly #record: string;
  readonly #random: () => number;
  readonly #disk: UnsureDisk;
  readonly #cut = { files: 0, torn: 0, holed: 0 };
  readonly #outputs: string[] = [];
  #kills = 0;
  #early = 0;
  /** When the last life had begun, wall time, ms. */
  #healed = 0;
  /** ms from the start of a process to its word that it runs, as it was lately. */
  #starting = 300;

  constructor(world: World, number: number) {
    const { plan, slave, broker, directory } = world;
    this.#world = world;
    this.#random = seededRandom(plan.seed + number);
    const home = join(directory, String(number));
    const places = Array.from({ length: plan.gateways }, (_, n) => n);
    this.#names = places.map((n) => `shard-${String(number)}-gateway-${String(n)}`);
    this.#ports = slave.ports.slice(number * plan.gateways, (number + 1) * plan.gateways);
    this.#files = writeSite(home, {
      node: `shard-${String(number)}`,
      mqtt: { broker: broker.url },
      defaults: { retries: 0, timeout: `${String(plan.timeout)}ms` },
      gateways: this.#names.map((id, n) => ({
        id,
        interval: `${String(this.#kind(n).interval)}ms`,
        connection: `tcp://127.0.0.1:${String(this.#ports[n])}`,
        devices: [{ id: "unit", unitId: 1, points: serialPoints }],
      })),
    });
    this.#site = join(home, "site");
    writeFileSync(this.#site, serialize(readSite(this.#files)));
    this.#record = join(home, "record");
    this.#disk = new UnsureDisk(this.#files.stateDir, this.#random);
  }

  /** Kills so many times, and then lets the node live. */
  async run(kills: number): Promise<void> {
    const { slave } = this.#world;
    for (const [n, port] of this.#ports.entries()) {
      await slave.fault(port, { kind: "delay", ms: this.#kind(n).delay });
    }
    while (this.#kills < kills) await this.#live();
    await this.#liveOn();
  }

  /** Histories of the node; it has ended. */
  async told(): Promise<KilledHistory> {
    const { slave, subscriber } = this.#world;
    const records = await readRecords(this.#files.stateDir);
    const own = new Set(this.#names);
    const isOwn = ({ topic }: { topic: string }): boolean => own.has(topic.split("/")[2] ?? "");
    const names = new Map(this.#ports.map((port, n) => [port, this.#names[n] ?? ""]));
    const nameOf = (n: number): string => names.get(slave.ports[n] ?? 0) ?? "";
    const history: History = {
      intervals: new Map(this.#names.map((name, n) => [name, this.#kind(n).interval])),
      kills: this.#kills,
      requests: wireOf(slave, nameOf).filter(({ gateway }) => own.has(gateway)),
      messages: [...subscriber.log.filter(isOwn), ...waitingIn(records)],
      ledger: ledgerOf(records),
      healed: this.#world.plan.polls === 0 ? [] : [this.#healed],
      outputs: this.#outputs,
    };
    const { stateDir } = this.#files;
    return { history, stateDir, early: this.#early, cut: this.#cut };
  }

  /** One life, and its end at a random moment. */
  async #live(): Promise<void> {
    const isEarly = this.#random() < EARLY;
    const share = this.#random();
    const began = performance.now();
    const node = this.#start();
    if (isEarly) await pass(share * this.#starting);
    else {
      await node.started;
      this.#starting = (3 * this.#starting + performance.now() - began) / 4;
      await pass(share * this.#world.plan.life);
    }
    await node.kill();
    this.#kills += 1;
    if (isEarly) this.#early += 1;
    assert.equal((await node.exit).signal, "SIGKILL", `it ended by itself:\n${node.output()}`);
    this.#outputs.push(node.output());
    if (this.#world.plan.shim !== undefined) this.#cutPower();
  }

  #cutPower(): void {
    this.#disk.follow(readRecord(this.#record));
    rmSync(this.#record, { force: true });
    const { files, torn, holed } = this.#disk.cut();
    this.#cut.files += files;
    this.#cut.torn += torn;
    this.#cut.holed += holed;
  }

  #start(): NodeProcess {
    const { t, plan } = this.#world;
    const env = plan.shim?.environment(this.#files.stateDir, this.#record) ?? {};
    if (plan.design === undefined && this.#kills % WHOLE === WHOLE - 1) {
      return startNode(t, this.#files, { env });
    }
    const design = plan.design === undefined ? [] : [plan.design];
    return startProgram(t, this.#files, [PROGRAM, this.#site, ...design], { env });
  }

  /** A last life without a kill, until every gateway is polled again. */
  async #liveOn(): Promise<void> {
    const { t, subscriber, slave, plan } = this.#world;
    for (const port of this.#ports) await slave.fault(port, { kind: "normal" });
    const last = plan.design === undefined ? startNode(t, this.#files) : this.#start();
    await last.started;
    this.#healed = Date.now();
    const from = subscriber.log.length;
    await pollsOf(subscriber, this.#names, plan.polls, from);
    assert.equal(await last.stop(), 0, last.output());
    this.#outputs.push(last.output());
  }

  #kind(n: number): Kind {
    const { kinds } = this.#world.plan;
    const kind = kinds[n % kinds.length];
    assert.ok(kind);
    return kind;
  }
}
