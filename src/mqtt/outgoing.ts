/** The publishes of one connection to a broker, from the call to the acknowledgement. */
import type { IClientPublishOptions } from "mqtt";
import { PublishError } from "../core/errors.ts";
import type { Clock, Message } from "../core/ports.ts";

/**
 * ms from the acknowledgement of the one before. A broker that answers pings but acknowledges nothing
 * is as good as away; one that is slow acknowledges one after the other, in order (MQTT 5, 4.6).
 */
const ACK_TIMEOUT = 10_000;
/** MQTT 5 reason codes from here on are refusals (MQTT 5, 2.4). */
const REFUSALS = 0x80;

/** What the broker announced it takes. */
export interface Limits {
  readonly version: 4 | 5;
  /** Unacknowledged QoS 1 messages at a time (MQTT 5, 3.2.2.3.3). */
  readonly receiveMaximum: number;
  /** Bytes of a whole packet (MQTT 5, 3.2.2.3.6). */
  readonly maximumPacketSize: number;
}

/** The one method of the mqtt.js client that is used here. */
export interface Writer {
  publish(
    topic: string,
    payload: string,
    options: IClientPublishOptions,
    settled: (error?: Error | null) => void,
  ): unknown;
}

interface Publish {
  readonly message: Message;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Settles every publish: at its acknowledgement, at its refusal, or when the connection ends. */
export class Outgoing {
  readonly #writer: Writer;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #expired: () => void;
  /** Written, oldest first. */
  #written: Publish[] = [];
  /** Not written yet because the broker takes no more at a time. */
  readonly #held: Publish[] = [];
  #unacknowledged = 0;
  /** Elapsed time since when the oldest that is written is the oldest. */
  #waitingSince = 0;
  #cancelWatch: (() => void) | undefined;

  /** `expired` is called when a publish is not acknowledged in time. */
  constructor(writer: Writer, limits: Limits, clock: Clock, expired: () => void) {
    this.#writer = writer;
    this.#limits = limits;
    this.#clock = clock;
    this.#expired = expired;
  }

  publish(message: Message): Promise<void> {
    const bytes = this.#limits.maximumPacketSize < Infinity ? this.#bytesOf(message) : 0;
    if (bytes > this.#limits.maximumPacketSize)
      return Promise.reject(this.#tooLarge(message, bytes));
    return new Promise((resolve, reject) => {
      const publish = { message, resolve, reject };
      if (message.qos === 1 && this.#unacknowledged >= this.#limits.receiveMaximum) {
        this.#held.push(publish);
      } else {
        this.#write(publish);
      }
    });
  }

  /**
   * Rejects all that is not settled; nothing may be published after it. `cut`: the broker ended the
   * connection, perhaps because of one of these messages.
   */
  end(reason: string, cut = false): void {
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
    const written = this.#written;
    this.#written = [];
    for (const { reject } of written) reject(lost(reason, cut ? "PUBLISH_CUT" : "PUBLISH_LOST"));
    for (const { reject } of this.#held.splice(0)) reject(lost(reason));
  }

  #write(publish: Publish): void {
    const { message } = publish;
    if (this.#written.length === 0) this.#waitingSince = this.#clock.elapsed();
    this.#written.push(publish);
    if (message.qos === 1) this.#unacknowledged += 1;
    this.#cancelWatch ??= this.#clock.timer(ACK_TIMEOUT, this.#watch);
    try {
      this.#writer.publish(message.topic, message.payload, this.#optionsOf(message), (error) => {
        this.#settle(publish, error);
      });
    } catch (error) {
      // As it is: it tells nothing of the connection.
      publish.reject(error);
      this.#settle(publish, undefined);
    }
  }

  #settle(publish: Publish, error: Error | null | undefined): void {
    const place = this.#written.indexOf(publish);
    if (place < 0) return;
    this.#written.splice(place, 1);
    if (place === 0) this.#waitingSince = this.#clock.elapsed();
    if (publish.message.qos === 1) this.#unacknowledged -= 1;
    if (error) publish.reject(failure(publish.message, error));
    else publish.resolve();
    if (this.#unacknowledged >= this.#limits.receiveMaximum) return;
    const next = this.#held.shift();
    if (next !== undefined) this.#write(next);
  }

  /** One timer for all: looks at the oldest, and again when that one's time is over. */
  readonly #watch = (): void => {
    this.#cancelWatch = undefined;
    if (this.#written.length === 0) return;
    const left = this.#waitingSince + ACK_TIMEOUT - this.#clock.elapsed();
    if (left <= 0) this.#expired();
    else this.#cancelWatch = this.#clock.timer(Math.ceil(left), this.#watch);
  };

  #optionsOf(message: Message): IClientPublishOptions {
    const { qos, retain, correlation } = message;
    if (correlation === undefined || this.#limits.version === 4) return { qos, retain };
    return { qos, retain, properties: { correlationData: Buffer.from(correlation, "hex") } };
  }

  /** Size of the packet a message becomes (MQTT 5, 3.3). */
  #bytesOf(message: Message): number {
    const { topic, payload, qos, correlation = "" } = message;
    const correlationBytes = correlation === "" ? 0 : 3 + correlation.length / 2;
    const properties = lengthBytes(correlationBytes) + correlationBytes;
    const body = 2 + Buffer.byteLength(topic) + 2 * qos + properties + Buffer.byteLength(payload);
    return 1 + lengthBytes(body) + body;
  }

  #tooLarge(message: Message, bytes: number): PublishError {
    const most = String(this.#limits.maximumPacketSize);
    return new PublishError(
      "PUBLISH_REFUSED",
      `A message on ${message.topic} needs ${String(bytes)} bytes, the broker takes at most ${most}.`,
    );
  }
}

/** The error of a publish that the end of the connection left unacknowledged. */
export function lost(
  reason: string,
  code: "PUBLISH_LOST" | "PUBLISH_CUT" = "PUBLISH_LOST",
): PublishError {
  return new PublishError(code, `A message was not acknowledged: ${reason}.`);
}

function failure(message: Message, error: Error): PublishError {
  const code = "code" in error ? error.code : undefined;
  if (typeof code !== "number" || code < REFUSALS) return lost(error.message);
  return new PublishError(
    "PUBLISH_REFUSED",
    `The broker refused a message on ${message.topic}: ${error.message} (reason code ${String(code)}).`,
    error,
  );
}

/** Bytes of a variable byte integer (MQTT 5, 1.5.5). */
function lengthBytes(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}
