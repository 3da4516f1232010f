/**
 * The way out: replies first, then retained state that changed, then the spool, at most a window's worth
 * in flight. Nothing is handed to the bus while it is not connected.
 */
import { quarantinedGap } from "../core/drop.ts";
import { PublishError, messageOf } from "../core/errors.ts";
import type { Bus, Clock, Log, Message, Write } from "../core/ports.ts";
import type { Topics } from "../core/topics.ts";
import type { Spool } from "./spool.ts";
import type { SpoolEntry } from "./stream.ts";

/** Replies that wait at most; who asks faster than the broker takes gets none. */
const MOST_REPLIES = 256;

interface World {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly topics: Topics;
  readonly spool: Spool;
  /** Deletes what was acknowledged; need not be synced, it costs only duplicates. */
  readonly forget: (writes: readonly Write[]) => void;
}

/** Hands messages to the broker. */
export class Publisher {
  readonly #world: World;
  readonly #replies: Message[] = [];
  /** Latest payload of each retained topic, and the topics whose payload the broker may not have. */
  readonly #retained = new Map<string, string>();
  readonly #changed = new Set<string>();
  readonly #refused = new Set<string>();
  #inFlight = 0;
  #connected = false;
  /** Replies that were not sent since there was room for one. */
  #unanswered = 0;
  #idle: (() => void)[] = [];

  constructor(world: World) {
    this.#world = world;
    world.bus.onState((state) => {
      const wasConnected = this.#connected;
      this.#connected = state.connected;
      // The commands may be subscribed later than the connect: what is in flight stays so.
      if (!state.connected || wasConnected) return;
      this.#world.spool.rewind();
      for (const topic of this.#retained.keys()) this.#changed.add(topic);
      this.pump();
    });
  }

  /** Publishes the state of a topic now and after every connect; an empty payload clears it. */
  retain(topic: string, payload: string): void {
    if (this.#retained.get(topic) === payload) return;
    this.#retained.set(topic, payload);
    this.#changed.add(topic);
    this.pump();
  }

  /** Whether the topic has a state, or one that is to be cleared and is not yet. */
  retains(topic: string): boolean {
    return this.#retained.has(topic);
  }

  /** Sends a reply, once, if the broker is there. */
  reply(message: Message): void {
    if (this.#replies.length >= MOST_REPLIES) {
      if (this.#unanswered++ === 0) this.#sayUnanswered();
      return;
    }
    this.#unanswered = 0;
    this.#replies.push(message);
    this.pump();
  }

  /** Sends what can be sent; to be called when something was added. */
  pump = (): void => {
    const { bus } = this.#world;
    while (bus.state.connected && this.#inFlight < bus.window) {
      if (!this.#sendReply() && !this.#sendRetained() && !this.#sendSpooled()) break;
    }
    if (this.#inFlight > 0 || this.#world.spool.isReading) return;
    for (const idle of this.#idle.splice(0)) idle();
  };

  /** Settles when nothing is in flight and nothing waits, or the broker went away. */
  async drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
      this.pump();
    });
  }

  #sendReply(): boolean {
    const message = this.#replies.shift();
    if (message === undefined) return false;
    this.#send(message, () => undefined);
    return true;
  }

  #sendRetained(): boolean {
    for (const topic of this.#changed) {
      this.#changed.delete(topic);
      const payload = this.#retained.get(topic) ?? "";
      this.#send({ topic, payload, qos: 1, retain: true }, (error) => {
        const isCleared = error === undefined && this.#retained.get(topic) === "";
        if (isCleared && payload === "") this.#retained.delete(topic);
        if (error?.code === "PUBLISH_LOST") this.#changed.add(topic);
        else if (error !== undefined) this.#sayRefused(topic, error);
      });
      return true;
    }
    return false;
  }

  #sendSpooled(): boolean {
    const { spool, topics, forget } = this.#world;
    const taken = spool.take(this.pump);
    if (taken === undefined) return false;
    const { stream, entry } = taken;
    const { topic, retain } = entry.spooled;
    if (topic === "") {
      forget([spool.acknowledge(stream, entry)]);
      return true;
    }
    const message: Message = {
      topic: `${topics.base}/${topic}`,
      payload: this.#payloadOf(entry),
      qos: 1,
      retain,
    };
    this.#send(message, (error) => {
      if (error?.code === "PUBLISH_LOST") return;
      if (error === undefined) {
        forget([spool.acknowledge(stream, entry)]);
        return;
      }
      this.#sayRefused(message.topic, error);
      forget(this.#quarantine(stream, entry));
    });
    return true;
  }

  /** Moves a refused message aside; a gap takes the place of a reading, for those who may read the gaps. */
  #quarantine(stream: string, entry: SpoolEntry): Write[] {
    const { spool } = this.#world;
    const aside = spool.quarantine(stream, entry);
    const gap = quarantinedGap(entry.spooled);
    if (gap === undefined) return aside;
    const appended = spool.append(stream, [gap]);
    appended.confirm();
    return [...aside, ...appended.writes];
  }

  /** As it was spooled, byte for byte, but for the mark of what is sent later than its own interval. */
  #payloadOf({ spooled }: SpoolEntry): string {
    const { interval, slot, payload } = spooled;
    if (interval === 0 || this.#world.clock.wall() - slot <= interval) return payload;
    return `${payload.slice(0, -1)},"replayed":true}`;
  }

  #send(message: Message, settled: (error: PublishError | undefined) => void): void {
    this.#inFlight++;
    const end = (error: PublishError | undefined) => {
      this.#inFlight--;
      settled(error);
      this.pump();
    };
    this.#world.bus.publish(message).then(
      () => {
        end(undefined);
      },
      (error: unknown) => {
        end(
          error instanceof PublishError
            ? error
            : new PublishError("PUBLISH_LOST", messageOf(error)),
        );
      },
    );
  }

  #sayUnanswered(): void {
    const text = "commands come faster than replies can be sent; some get none";
    this.#world.log.warn({ waiting: MOST_REPLIES }, text);
  }

  #sayRefused(topic: string, error: PublishError): void {
    if (this.#refused.has(topic)) return;
    this.#refused.add(topic);
    this.#world.log.error(
      { topic, error: error.message },
      "the broker refuses a topic; what is sent there is not delivered",
    );
  }
}
