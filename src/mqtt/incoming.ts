/** The way of a message from a broker library to its listeners. */
import { messageOf } from "../core/errors.ts";
import type { Incoming, Log } from "../core/ports.ts";

/** Bytes; a command is never that long, and whoever sends more must not fill our memory. */
export const LARGEST_INCOMING = 256 * 1024;

/** Does what must not throw into a broker library, which would stop: an exception goes on as an error nobody caught. */
export function outside(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Listeners whose exceptions end in the log: thrown into a broker library they would stop it. */
export class Listeners<T> {
  readonly #listeners: ((value: T) => void)[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  add(listener: (value: T) => void): void {
    this.#listeners.push(listener);
  }

  tell(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value);
      } catch (error) {
        this.#log.error({ error: messageOf(error) }, "A listener of the MQTT connection threw.");
      }
    }
  }
}

/** What is taken from a publish of either library. */
interface Packet {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly retain: boolean;
  readonly properties?: { readonly responseTopic?: string; readonly correlationData?: Buffer };
}

/** The message of a packet; undefined, and a line in the log, if it is too long. */
export function incomingOf(packet: Packet, log: Log): Incoming | undefined {
  const { topic, payload, retain, properties } = packet;
  if (payload.length > LARGEST_INCOMING) {
    log.warn({ topic, bytes: payload.length }, "A message was dropped: it is too long.");
    return undefined;
  }
  return {
    topic,
    payload: payload.toString(),
    retain,
    ...(properties?.responseTopic !== undefined && { responseTopic: properties.responseTopic }),
    ...(properties?.correlationData !== undefined && {
      correlation: properties.correlationData.toString("hex"),
    }),
  };
}
