/** The bus over a broker inside this process. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { Aedes, AedesPublishPacket, PublishPacket } from "aedes";
import { PublishError } from "../core/errors.ts";
import type { Bus, BusState, Clock, Incoming, Log, Message } from "../core/ports.ts";
import { retainedTopicOf, type BrokerLook, type RetainedTopic } from "../core/retained-topics.ts";
import { createBroker } from "./broker.ts";
import { Listeners, incomingOf, outside } from "./incoming.ts";
import { listen } from "./listen.ts";
import { guardPackets } from "./packet-guard.ts";

/** Connections at a time, logged in or not. */
const MOST_CONNECTIONS = 256;
const WINDOW = 20;
/** ms; clients that do not let go by then are cut off. */
const CLOSE_TIMEOUT = 500;

/** What the embedded broker needs to know. */
export interface EmbeddedBusOptions {
  readonly host: string;
  readonly port: number;
  /** Filter of the command topics. */
  readonly commandFilter: string;
  /** What subscribers find until the node says otherwise; the process takes the broker with it. */
  readonly will: Message;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A bus with a broker of its own (MQTT 3.1.1) on `host:port`. Its `open` throws what `listen` throws.
 * "Acknowledged" means handed to the subscribers connected at that moment.
 */
export function createEmbeddedBus(options: EmbeddedBusOptions): Bus {
  return new EmbeddedBus(options);
}

interface RetainedStore {
  createRetainedStreamCombi(
    filters: readonly string[],
  ): AsyncIterable<{ topic: string; payload: Buffer | string }>;
}

class EmbeddedBus implements Bus {
  readonly window = WINDOW;
  readonly #options: EmbeddedBusOptions;
  readonly #states: Listeners<BusState>;
  readonly #messages: Listeners<Incoming>;
  readonly #sockets = new Set<Socket>();
  /** Ends of publishes that subscribers have not taken yet. */
  readonly #pending = new Set<() => void>();
  #state: BusState;
  #broker: Aedes | undefined;
  #server: Server | undefined;

  constructor(options: EmbeddedBusOptions) {
    this.#options = options;
    this.#states = new Listeners(options.log);
    this.#messages = new Listeners(options.log);
    this.#state = this.#stateNow("the embedded broker is not open");
  }

  get state(): BusState {
    return this.#state;
  }

  onState(listener: (state: BusState) => void): void {
    this.#states.add(listener);
  }

  onMessage(listener: (message: Incoming) => void): void {
    this.#messages.add(listener);
  }

  async open(): Promise<void> {
    const { host, port, clock, log, will } = this.#options;
    const broker = await createBroker(log);
    await this.#takeCommands(broker);
    await new Promise<void>((resolve) => {
      broker.publish(packetOf(will), () => {
        resolve();
      });
    });
    const server = this.#createServer(broker);
    try {
      await listen(server, host, port, clock);
    } catch (error) {
      broker.close();
      throw error;
    }
    this.#broker = broker;
    this.#server = server;
    log.info({ host, port }, "The embedded broker listens.");
    this.#change(undefined);
  }

  publish(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      const lost = (): void => {
        reject(new PublishError("PUBLISH_LOST", "The embedded broker is not open."));
      };
      this.#pending.add(lost);
      // A turn of its own: aedes takes differently long to route by QoS and retain, and gives a
      // subscriber nothing older than what it has already sent to it.
      setImmediate(() => {
        const broker = this.#broker;
        if (broker === undefined) {
          this.#pending.delete(lost);
          lost();
          return;
        }
        try {
          broker.publish(packetOf(message), (error) => {
            this.#pending.delete(lost);
            if (error)
              reject(new PublishError("PUBLISH_REFUSED", refusalOf(message, error), error));
            else resolve();
          });
        } catch (error) {
          this.#pending.delete(lost);
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  async retained(filters: readonly string[]): Promise<BrokerLook> {
    if (this.#broker === undefined) {
      throw new PublishError("PUBLISH_LOST", "The embedded broker is not open.");
    }
    // Not among the typed members of aedes: where it keeps what is retained, in memory.
    const { persistence } = this.#broker as unknown as { persistence: RetainedStore };
    const topics: RetainedTopic[] = [];
    for await (const { topic, payload } of persistence.createRetainedStreamCombi(filters)) {
      topics.push(retainedTopicOf(topic, payload.toString()));
    }
    return { topics, unseen: [] };
  }

  async close(): Promise<void> {
    const broker = this.#broker;
    const server = this.#server;
    if (broker === undefined || server === undefined) return;
    this.#broker = undefined;
    this.#server = undefined;
    for (const lost of this.#pending) lost();
    this.#pending.clear();
    const gone = new Promise<void>((resolve) =>
      server.close(() => {
        resolve();
      }),
    );
    await this.#closeClients(broker);
    for (const socket of this.#sockets) socket.destroy();
    await gone;
    this.#change("the embedded broker is closed");
  }

  #createServer(broker: Aedes): Server {
    const { log } = this.#options;
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      broker.handle(socket);
      guardPackets(socket);
    });
    server.maxConnections = MOST_CONNECTIONS;
    server.on("drop", (connection) => {
      const from = connection?.remoteAddress;
      log.warn({ from, most: MOST_CONNECTIONS }, "A client was turned away: too many connections.");
    });
    server.on("error", (error) => {
      log.debug({ error: error.message }, "The listener of the embedded broker reports an error.");
    });
    return server;
  }

  async #takeCommands(broker: Aedes): Promise<void> {
    const { commandFilter, log } = this.#options;
    const deliver = (packet: AedesPublishPacket, done: () => void): void => {
      outside(() => {
        const message = incomingOf(packet, log);
        if (message !== undefined) this.#messages.tell(message);
      });
      done();
    };
    await new Promise<void>((resolve) => {
      broker.subscribe(commandFilter, deliver, resolve);
    });
  }

  async #closeClients(broker: Aedes): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.timer(CLOSE_TIMEOUT, resolve);
      broker.close(() => {
        cancel();
        resolve();
      });
    });
  }

  #change(reason: string | undefined): void {
    this.#state = this.#stateNow(reason);
    this.#states.tell(this.#state);
  }

  #stateNow(reason: string | undefined): BusState {
    const connected = reason === undefined;
    const since = this.#options.clock.elapsed();
    const state = { connected, version: 4, durable: false, commands: connected, since } as const;
    return connected ? state : { ...state, reason };
  }
}

function packetOf(message: Message): PublishPacket {
  const { topic, payload, qos, retain } = message;
  return { cmd: "publish", topic, payload, qos, retain, dup: false };
}

function refusalOf(message: Message, error: Error): string {
  return `The embedded broker refused a message on ${message.topic}: ${error.message}.`;
}
