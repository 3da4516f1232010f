/** The bus over a broker that is already there. */
import { setDefaultAutoSelectFamilyAttemptTimeout } from "node:net";
import type { Bus, BusState, Incoming, Message } from "../core/ports.ts";
import type { BrokerLook } from "../core/retained-topics.ts";
import { Contest } from "./contest.ts";
import { Listeners } from "./incoming.ts";
import { lost } from "./outgoing.ts";
import { lookAtRetained } from "./retained-look.ts";
import { Session } from "./session.ts";
import type { SessionEnd, SessionOptions } from "./session.ts";

const MOST_WINDOW = 20;
/** ms between two attempts to connect: the first and the longest. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;
/** ms; a connection that stood that long was a good one, the next retry is the first again. */
const GOOD_SESSION = 30_000;
/** ms for each address of a host; Node's own 250 are too few for a line over radio. */
const ADDRESS_TIMEOUT = 2_000;

/** What the bus needs to know about the broker. */
export type ExternalBusOptions = SessionOptions;

/**
 * A bus over an external broker: MQTT 5, or 3.1.1 from the first refusal of 5 on. It reconnects by
 * itself. `url` as mqtt.js takes it, such as `mqtt://host:1883`; throws on one that is none.
 */
export function createExternalBus(options: ExternalBusOptions): Bus {
  setDefaultAutoSelectFamilyAttemptTimeout(ADDRESS_TIMEOUT);
  return new ExternalBus(options);
}

class ExternalBus implements Bus {
  readonly #options: ExternalBusOptions;
  /** The broker as the log names it: without user and password. */
  readonly #broker: string;
  readonly #states: Listeners<BusState>;
  readonly #messages: Listeners<Incoming>;
  #state: BusState;
  #window = MOST_WINDOW;
  #version: 4 | 5 = 5;
  #session: Session | undefined;
  #cancelRetry: (() => void) | undefined;
  #failures = 0;
  readonly #contest = new Contest();
  #loggedReason: string | undefined;

  constructor(options: ExternalBusOptions) {
    this.#options = options;
    this.#broker = new URL(options.url).host;
    this.#states = new Listeners(options.log);
    this.#messages = new Listeners(options.log);
    const since = options.clock.elapsed();
    const reason = "not opened";
    this.#state = { connected: false, version: 5, durable: true, commands: false, since, reason };
  }

  get state(): BusState {
    const contested = this.#contest.isOn(this.#options.clock.elapsed());
    return contested ? { ...this.#state, contested } : this.#state;
  }

  get window(): number {
    return this.#window;
  }

  onState(listener: (state: BusState) => void): void {
    this.#states.add(listener);
  }

  onMessage(listener: (message: Incoming) => void): void {
    this.#messages.add(listener);
  }

  open(): Promise<void> {
    this.#noteReason("connecting");
    this.#connect();
    return Promise.resolve();
  }

  publish(message: Message): Promise<void> {
    if (this.#session === undefined || !this.#state.connected) {
      return Promise.reject(lost(this.#state.reason ?? "not connected"));
    }
    return this.#session.publish(message);
  }

  retained(filters: readonly string[]): Promise<BrokerLook> {
    if (!this.#state.connected) {
      return Promise.reject(lost(this.#state.reason ?? "not connected"));
    }
    return lookAtRetained(this.#options, filters, this.#version);
  }

  async close(): Promise<void> {
    this.#cancelRetry?.();
    const session = this.#session;
    this.#session = undefined;
    this.#noteReason("closed");
    await session?.close();
  }

  #connect(): void {
    this.#session = new Session(this.#options, this.#version, {
      subscribed: (commands) => {
        this.#ready(commands);
      },
      message: (message) => {
        this.#messages.tell(message);
      },
      ended: (end) => {
        this.#ended(end);
      },
    });
  }

  /** Also called when the commands were subscribed to later than the connect. */
  #ready(commands: boolean): void {
    const known = this.#state.connected;
    if (known && this.#state.commands === commands) return;
    const since = known ? this.#state.since : this.#options.clock.elapsed();
    this.#window = Math.min(this.#session?.receiveMaximum ?? MOST_WINDOW, MOST_WINDOW);
    this.#state = { connected: true, version: this.#version, durable: true, commands, since };
    this.#loggedReason = undefined;
    const fields = { broker: this.#broker, version: this.#version, commands };
    this.#options.log.info(fields, "Connected to the MQTT broker.");
    this.#states.tell(this.state);
  }

  #ended({ reason, versionRefused = false, byBroker = false }: SessionEnd): void {
    const { log } = this.#options;
    this.#session = undefined;
    if (versionRefused && this.#version === 5) {
      this.#version = 4;
      const text =
        "The broker does not speak MQTT 5. With 3.1.1 it can't say that it refuses a message: " +
        "what this user may not publish is lost without a word.";
      log.warn({ broker: this.#broker }, text);
      this.#connect();
      return;
    }
    if (byBroker) this.#contest.note(this.#options.clock.elapsed());
    if (this.#state.connected && this.#options.clock.elapsed() - this.#state.since > GOOD_SESSION) {
      this.#failures = 0;
    }
    const delay = retryDelay(this.#failures, this.#options.clientId);
    this.#failures += 1;
    this.#cancelRetry = this.#options.clock.timer(delay, () => {
      this.#connect();
    });
    this.#logEnd(reason);
    this.#noteReason(reason);
  }

  /** A reason is logged once; that it lasts is only of interest to those who look for it. */
  #logEnd(reason: string): void {
    const { log } = this.#options;
    const fields = { broker: this.#broker, reason };
    if (this.#state.connected) log.warn(fields, "The connection to the MQTT broker is lost.");
    else if (reason === this.#loggedReason) log.debug(fields, "The MQTT broker is still away.");
    else log.warn(fields, "The MQTT broker can't be reached; it is tried again and again.");
    this.#loggedReason = reason;
  }

  /** Not connected, for this reason; listeners hear of it if it was connected before. */
  #noteReason(reason: string): void {
    const before = this.#state;
    const since = before.connected ? this.#options.clock.elapsed() : before.since;
    const version = this.#version;
    this.#state = { connected: false, version, durable: true, commands: false, since, reason };
    if (before.connected) this.#states.tell(this.state);
  }
}

/**
 * ms until the next attempt, doubling up to `LONGEST_RETRY`. Half of it is jitter out of the client
 * id, so that the nodes of a site do not all come back at the same moment.
 */
function retryDelay(failures: number, clientId: string): number {
  const longest = Math.min(FIRST_RETRY * 2 ** failures, LONGEST_RETRY);
  return Math.round(longest * (0.5 + fraction(`${clientId}/${String(failures)}`) / 2));
}

/** A number in [0, 1) that looks random and is the same for the same text: FNV-1a, 32 bit. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
