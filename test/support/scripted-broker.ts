/**
 * An MQTT broker that misbehaves as told, and a log of what clients did. It keeps nothing and delivers
 * only what a test publishes; for brokers that do their work there is Mosquitto.
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from "mqtt-packet";
import mqttPacket from "mqtt-packet";

/** How the broker behaves; what is left out is as it should be. May be changed at any time. */
export interface Script {
  /** Codes that the next connects are refused with, in order (MQTT 3.1.1, 3.2.2.3; MQTT 5, 3.2.2.2). */
  connack?: number[];
  /** A second CONNACK follows the first. */
  connackTwice?: boolean;
  /** The only version spoken. */
  version?: 4 | 5;
  /** Announced (MQTT 5, 3.2.2.3.3). */
  receiveMaximum?: number;
  /** Publishes of more bytes end the connection, unannounced. */
  cutsAbove?: number;
  /** Code of every SUBACK, 0 to 2 or from 128. */
  suback?: number;
  /** Whether a publish gets its PUBACK; it is logged in any case. */
  acknowledges?: (publish: Publish) => boolean;
  /** PUBACKs are sent in lots of so many, the last first. */
  reversed?: number;
  /** Before each PUBACK goes one for an id that nobody has used. */
  unknownAcks?: boolean;
  /** Bytes a second that are read. */
  bytesPerSecond?: number;
  /** The connection is cut when so many publishes more have come; counts down. */
  cutAfter?: number;
}

/** A connect as it came, and how it was answered. */
export interface Connect {
  /** ms of the test's monotonic clock. */
  readonly at: number;
  readonly version: number;
  readonly clientId: string;
  readonly code: number;
}

/** A publish as it came; `connection` counts from 1. */
export interface Publish {
  readonly connection: number;
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: number;
}

/** A running scripted broker. */
export interface ScriptedBroker {
  readonly url: string;
  readonly script: Script;
  readonly connects: readonly Connect[];
  readonly publishes: readonly Publish[];
  /** Subscriptions asked for. */
  readonly subscribes: readonly string[];
  /** QoS 1 publishes that waited for their PUBACK on one connection at most. */
  mostUnacknowledged(): number;
  /** Publishes to every client that is connected. */
  deliver(topic: string, payload: string): void;
  /** Settles when the log meets a condition; looked at whenever it grows. Rejects after 30 s. */
  until(what: string, met: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const PATIENCE = 30_000;
/** ms between two sips of a slow reader. */
const SIP_EVERY = 5;

/** Starts a scripted broker on a port of loopback. */
export async function startScriptedBroker(script: Script = {}): Promise<ScriptedBroker> {
  const broker = new Broker(script);
  await once(broker.server.listen(0, "127.0.0.1"), "listening");
  return broker;
}

class Broker implements ScriptedBroker {
  readonly script: Script;
  readonly server = createServer({ noDelay: true }, (socket) => {
    this.#accept(socket);
  });
  readonly connects: Connect[] = [];
  readonly publishes: Publish[] = [];
  readonly subscribes: string[] = [];
  readonly #clients = new Set<Client>();
  readonly #watchers = new Set<() => void>();
  #most = 0;

  constructor(script: Script) {
    this.script = script;
  }

  get url(): string {
    // A TCP server's address is never the text that a pipe's is.
    return `mqtt://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  mostUnacknowledged(): number {
    return this.#most;
  }

  deliver(topic: string, payload: string): void {
    for (const client of this.#clients) {
      client.send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
    }
  }

  async until(what: string, met: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const look = (): void => {
        if (!met()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`${what} did not come`));
      }, PATIENCE);
      this.#watchers.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }

  noteUnacknowledged(count: number): void {
    this.#most = Math.max(this.#most, count);
  }

  look(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #accept(socket: Socket): void {
    const client = new Client(this, socket);
    this.#clients.add(client);
    socket.on("close", () => this.#clients.delete(client));
  }
}

/** One connection. */
class Client {
  readonly socket: Socket;
  readonly #broker: Broker;
  readonly #parser = mqttPacket.parser();
  #version = 4;
  #connection = 0;
  #unacknowledged = 0;
  /** Message ids whose PUBACK waits for its lot. */
  #lot: number[] = [];

  constructor(broker: Broker, socket: Socket) {
    this.#broker = broker;
    this.socket = socket;
    socket.on("error", () => undefined);
    this.#parser.on("packet", (packet) => {
      this.#take(packet);
      broker.look();
    });
    this.#parser.on("error", () => socket.destroy());
    if (broker.script.bytesPerSecond === undefined) {
      socket.on("data", (bytes) => this.#parser.parse(bytes));
    } else {
      this.#sip(broker.script.bytesPerSecond);
    }
  }

  send(packet: Packet): void {
    this.socket.write(mqttPacket.generate(packet, { protocolVersion: this.#version }));
  }

  /** Reads a little at a time; the rest waits in the kernel, where the client feels it. */
  #sip(bytesPerSecond: number): void {
    this.socket.pause();
    let before = performance.now();
    const timer = setInterval(() => {
      // By the time that has passed: a busy machine must not make it slower still.
      const now = performance.now();
      const sip = Math.max(1, Math.round(((now - before) * bytesPerSecond) / 1000));
      before = now;
      // In paused mode it gives bytes, null when there are not so many.
      const bytes = (this.socket.read(sip) ?? this.socket.read()) as Buffer | null;
      if (bytes !== null) this.#parser.parse(bytes);
    }, SIP_EVERY);
    this.socket.on("close", () => {
      clearInterval(timer);
    });
  }

  #take(packet: Packet): void {
    // What came with the packet at which the connection was cut never arrived.
    if (this.socket.destroyed) return;
    if (packet.cmd === "connect") this.#connect(packet);
    else if (packet.cmd === "subscribe") this.#subscribe(packet);
    else if (packet.cmd === "publish") this.#publish(packet);
    else if (packet.cmd === "pingreq") this.send({ cmd: "pingresp" });
    else if (packet.cmd === "disconnect") this.socket.end();
  }

  #connect({ clientId, protocolVersion = 4 }: IConnectPacket): void {
    const { script, connects } = this.#broker;
    this.#version = protocolVersion;
    const isSpoken = script.version === undefined || script.version === protocolVersion;
    const code = isSpoken ? (script.connack?.shift() ?? 0) : protocolVersion === 5 ? 0x84 : 1;
    connects.push({ at: performance.now(), version: protocolVersion, clientId, code });
    this.#connection = connects.length;
    const { receiveMaximum } = script;
    const properties = receiveMaximum === undefined ? {} : { receiveMaximum };
    const answer: Packet = {
      ...{ cmd: "connack", returnCode: code, reasonCode: code, sessionPresent: false },
      ...(this.#version === 5 ? { properties } : {}),
    };
    this.send(answer);
    if (script.connackTwice === true) this.send(answer);
    if (code !== 0) this.socket.end();
  }

  #subscribe({ messageId = 0, subscriptions }: ISubscribePacket): void {
    const { script, subscribes } = this.#broker;
    for (const { topic } of subscriptions) subscribes.push(topic);
    const granted = subscriptions.map(() => script.suback ?? 1);
    this.send({ cmd: "suback", messageId, granted });
  }

  #publish(packet: IPublishPacket): void {
    const { topic, payload, retain, qos, messageId, length = 0 } = packet;
    const { script, publishes } = this.#broker;
    if (length > (script.cutsAbove ?? Infinity)) {
      this.socket.destroy();
      return;
    }
    const publish = {
      connection: this.#connection,
      topic,
      payload: payload.toString(),
      retain,
      qos,
    };
    publishes.push(publish);
    if (script.cutAfter !== undefined && script.cutAfter-- <= 1) {
      delete script.cutAfter;
      this.socket.resetAndDestroy();
      return;
    }
    if (messageId === undefined) return;
    this.#unacknowledged += 1;
    this.#broker.noteUnacknowledged(this.#unacknowledged);
    if (script.acknowledges?.(publish) === false) return;
    this.#lot.push(messageId);
    // Other packets of the same chunk come first: what a client sends at once is counted at once.
    setImmediate(() => {
      this.#acknowledge();
    });
  }

  #acknowledge(): void {
    const { reversed = 1, unknownAcks = false } = this.#broker.script;
    if (this.#lot.length < reversed || this.socket.destroyed) return;
    for (const messageId of this.#lot.splice(0).reverse()) {
      if (unknownAcks) this.send({ cmd: "puback", messageId: (messageId + 30_000) % 65_535 || 1 });
      this.send({ cmd: "puback", messageId });
      this.#unacknowledged -= 1;
    }
  }
}
