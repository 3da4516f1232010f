/** One connection to an external broker, from the connect to its end; never used twice. */
import { Socket } from "node:net";
import mqtt from "mqtt";
import type { IClientOptions, IConnackPacket, MqttClient } from "mqtt";
import type { Clock, Incoming, Log, Message } from "../core/ports.ts";
import { incomingOf, outside } from "./incoming.ts";
import { NoStore } from "./no-store.ts";
import { Outgoing } from "./outgoing.ts";
import { isObjection, isReset, reasonOf, reasonOfDisconnect, refusesVersion } from "./reasons.ts";

/** Seconds; a broker behind a dead line is noticed after one and a half times that. */
const KEEPALIVE = 15;
/** ms, for the connect and again for the answer to the subscription. */
const CONNECT_TIMEOUT = 10_000;
/** ms between two attempts to subscribe to the commands. */
const SUBSCRIBE_RETRY = 60_000;
/** ms a broker gets to close the connection after our DISCONNECT. */
const CLOSE_TIMEOUT = 500;
/** Bytes of a packet we let a broker send us; one that is honoured keeps memory bounded. */
const LARGEST_PACKET = 1024 * 1024;
const MOST_UNACKNOWLEDGED = 65_535;

/** What a session needs to know. */
export interface SessionOptions {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly clientId: string;
  /** Filter of the command topics. */
  readonly commandFilter: string;
  /** Published by the broker when the connection ends without `close`. */
  readonly will: Message;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a session tells its owner; nothing after `ended`, and `ended` once. */
export interface SessionEvents {
  /** The subscription to the commands was answered: the first time the session is ready for use. */
  subscribed(commands: boolean): void;
  message(message: Incoming): void;
  ended(end: SessionEnd): void;
}

/** How a session ended. */
export interface SessionEnd {
  /** In words. */
  readonly reason: string;
  /** The broker does not speak the version. */
  readonly versionRefused?: boolean;
  /** The broker ended a session that stood. */
  readonly byBroker?: boolean;
  /** Perhaps because of a message that was on its way. */
  readonly cut?: boolean;
}

/** A clean session of one version of the protocol; it begins to connect at once. */
export class Session {
  /** QoS 1 messages the broker takes at a time; known once the session is ready. */
  receiveMaximum = MOST_UNACKNOWLEDGED;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #version: 4 | 5;
  readonly #client: MqttClient;
  #outgoing: Outgoing | undefined;
  #cancelTimer: (() => void) | undefined;
  #over = false;

  constructor(options: SessionOptions, version: 4 | 5, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#version = version;
    const { topic, payload, qos, retain } = options.will;
    const will = { topic, payload, qos, retain };
    this.#client = mqtt.connect(options.url, { ...clientOptionsOf(options, version), will });
    this.#listen();
  }

  /** Rejects with `PublishError`; only for a session that is ready and not over. */
  publish(message: Message): Promise<void> {
    if (this.#outgoing === undefined) return Promise.reject(new Error("the session is not ready"));
    return this.#outgoing.publish(message);
  }

  /** Ends the session without the last will; settles when the connection is closed. */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#finish("closed");
    const client = this.#client;
    // Left in there, mqtt.js would wait for their acknowledgements before it says goodbye.
    for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id));
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.timer(CLOSE_TIMEOUT, resolve);
      const closed = (): void => {
        cancel();
        resolve();
      };
      if (client.connected) client.end(false, {}, closed);
      else closed();
    });
    client.stream.destroy();
  }

  #listen(): void {
    const client = this.#client;
    client.on("connect", (packet) => {
      // A reply must not wait for the broker's delayed acknowledgement of the PUBACK before it (Nagle).
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      if (!this.#over) this.#connected(packet);
    });
    client.on("message", (_topic, _payload, packet) => {
      if (this.#over) return;
      outside(() => {
        const message = incomingOf(packet, this.#options.log);
        if (message !== undefined) this.#events.message(message);
      });
    });
    client.on("error", (error) => {
      const versionRefused = refusesVersion(error);
      const cut = isReset(error);
      this.#end({ reason: reasonOf(error), versionRefused, byBroker: cut, cut });
    });
    client.on("disconnect", (packet) => {
      const { reasonCode } = packet;
      const reason = reasonOfDisconnect(reasonCode);
      this.#end({ reason, byBroker: true, cut: isObjection(reasonCode) });
    });
    client.on("close", () => {
      this.#end({ reason: "the broker closed the connection", byBroker: true, cut: true });
    });
  }

  #connected(packet: IConnackPacket): void {
    const { receiveMaximum, maximumPacketSize } = packet.properties ?? {};
    this.receiveMaximum = receiveMaximum ?? MOST_UNACKNOWLEDGED;
    const limits = {
      version: this.#version,
      receiveMaximum: this.receiveMaximum,
      maximumPacketSize: maximumPacketSize ?? Infinity,
    };
    this.#outgoing = new Outgoing(this.#client, limits, this.#options.clock, () => {
      this.#end({ reason: "the broker acknowledged nothing for too long" });
    });
    this.#subscribe();
  }

  #subscribe = (): void => {
    const { clock, commandFilter, log } = this.#options;
    this.#cancelTimer = clock.timer(CONNECT_TIMEOUT, () => {
      this.#end({ reason: "the broker did not answer the subscription" });
    });
    // Retained commands must be told from live ones: MQTT 5 says so for both (3.8.3.1).
    this.#client.subscribe(commandFilter, { qos: 1, rap: true }, (error) => {
      if (this.#over) return;
      this.#cancelTimer?.();
      if (error) {
        this.#cancelTimer = clock.timer(SUBSCRIBE_RETRY, this.#subscribe);
        log.warn({ topic: commandFilter, error: error.message }, "The broker refuses us commands.");
      }
      this.#events.subscribed(error === null);
    });
  };

  #end(end: SessionEnd): void {
    if (this.#over) return;
    const stood = this.#outgoing !== undefined;
    this.#finish(end.reason, end.cut);
    this.#client.stream.destroy();
    this.#events.ended({ ...end, byBroker: stood && end.byBroker === true });
  }

  #finish(reason: string, cut = false): void {
    this.#over = true;
    this.#cancelTimer?.();
    this.#outgoing?.end(reason, cut);
  }
}

/** mqtt.js without its queues and its reconnect: what it would replay is in our own store. */
export function clientOptionsOf(
  { clientId, username, password }: Pick<SessionOptions, "clientId" | "username" | "password">,
  version: 4 | 5,
): IClientOptions {
  return {
    clientId,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    protocolVersion: version,
    clean: true,
    keepalive: KEEPALIVE,
    connectTimeout: CONNECT_TIMEOUT,
    reconnectPeriod: 0,
    resubscribe: false,
    // A ping each time is cheaper than a timer moved with each message.
    reschedulePings: false,
    // The library's own would be put together for each message and then not written.
    log: () => undefined,
    queueQoSZero: false,
    outgoingStore: new NoStore(),
    // A buffer made for each of the 65,536 message ids: 7 MB to save next to nothing.
    writeCache: false,
    ...(version === 5 && { properties: { maximumPacketSize: LARGEST_PACKET } }),
  };
}
