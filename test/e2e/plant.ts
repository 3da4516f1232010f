/** A node with three gateways that takes commands, over a broker of either kind. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort, startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeFiles, type NodeProcess } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Received, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { publish, serialPoints, type PublishOptions } from "./site.ts";

/** The gateways of a plant. */
export const IDS = ["one", "two", "three"] as const;
/** Planned requests of one poll. */
const REQUESTS = 3;

/** A reply as published. */
export interface Reply {
  readonly status: "ok" | "error";
  // What a reply holds differs by verb; the test that looks knows which it asked for.
  readonly data?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly transaction?: string;
}

/** A plant whose node can be ended and started again. */
export class Plant {
  readonly port: number;
  readonly slave: Slave;
  readonly files: NodeFiles;
  readonly #test: Pick<TestContext, "after">;
  readonly #version: "5" | "311";
  #node: NodeProcess | undefined;
  #subscriber: Subscriber | undefined;

  constructor(
    test: Pick<TestContext, "after">,
    parts: { port: number; slave: Slave; files: NodeFiles; version: "5" | "311" },
  ) {
    this.#test = test;
    this.port = parts.port;
    this.slave = parts.slave;
    this.files = parts.files;
    this.#version = parts.version;
  }

  get node(): NodeProcess {
    if (this.#node === undefined) throw new Error("no node was started");
    return this.#node;
  }

  /** All topics since the node was started. */
  get subscriber(): Subscriber {
    if (this.#subscriber === undefined) throw new Error("nobody has subscribed");
    return this.#subscriber;
  }

  /** Starts the node and settles when it takes commands. */
  async start(): Promise<void> {
    const node = startNode(this.#test, this.files);
    this.#node = node;
    await node.started;
    const options = { port: this.port, version: this.#version };
    this.#subscriber = await startSubscriber(this.#test, options);
    await this.#subscriber.first("the node", (message) => {
      if (message.topic !== "polling/node/info") return false;
      return jsonOf<{ pid: number }>(message).pid === node.pid;
    });
  }

  /** Publishes a command. */
  async send(verb: string, payload: object | string, options: PublishOptions = {}): Promise<void> {
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    const version = this.#version;
    await publish(this.port, `polling/cmd/${verb}`, text, { version, ...options });
  }

  /** Publishes a command and gives back the reply on the usual topic. */
  async ask(verb: string, payload: object | string): Promise<Reply> {
    const from = this.subscriber.log.length;
    await this.send(verb, payload);
    return jsonOf<Reply>(await this.reply(`polling/reply/${verb}`, from));
  }

  /** The first message on a topic from number `from` of the log on. */
  reply(topic: string, from: number): Promise<Received> {
    return this.subscriber.first(`a reply on ${topic}`, (each) => each.topic === topic, from);
  }

  /** State and desired state of every gateway, as `status` tells them. */
  async states(): Promise<Record<string, string>> {
    const { data } = await this.ask("status", {});
    // The data of `status`.
    const { gateways } = data as {
      gateways: { gateway: string; state: string; desired: string }[];
    };
    return Object.fromEntries(
      gateways.map(({ gateway, state, desired }) => [gateway, `${state}, ${desired}`]),
    );
  }

  /** Polls of a gateway that the slave has seen so far. */
  polls(id: (typeof IDS)[number]): number {
    return Math.floor(this.slave.log(this.#portOf(id)).length / REQUESTS);
  }

  /** Settles when the slave has seen so many further polls of a gateway. */
  async polled(id: (typeof IDS)[number], polls: number): Promise<void> {
    const port = this.#portOf(id);
    await this.slave.received(port, this.slave.log(port).length + polls * REQUESTS);
  }

  #portOf(id: (typeof IDS)[number]): number {
    const port = this.slave.ports[IDS.indexOf(id)];
    if (port === undefined) throw new Error(`no port for ${id}`);
    return port;
  }
}

/** Makes a plant, its node not yet started; `timing` are keys of every gateway. */
export async function createPlant(
  test: Pick<TestContext, "after">,
  kind: "external" | "embedded",
  timing: object = { interval: "200ms" },
): Promise<Plant> {
  const directory = createTempDir(test);
  const slave = await startSlave({
    ports: IDS.length,
    logFile: join(directory, "requests.jsonl"),
  });
  test.after(() => slave.stop());
  const broker = kind === "external" ? await startMosquitto() : undefined;
  if (broker !== undefined) test.after(() => broker.remove());
  const port = broker?.port ?? (await freePort());
  const files = writeSite(join(directory, "node"), {
    node: "plant",
    mqtt: broker === undefined ? { embedded: { port } } : { broker: broker.url },
    gateways: slave.ports.map((slavePort, n) => ({
      id: IDS[n],
      ...timing,
      connection: `tcp://127.0.0.1:${String(slavePort)}`,
      devices: [{ id: "unit", unitId: 1, points: serialPoints }],
    })),
  });
  // The embedded broker speaks MQTT 3.1.1.
  const version = broker === undefined ? "311" : "5";
  return new Plant(test, { port, slave, files, version });
}
