/**
 * The way out: replies first, then retained state that changed and the spool in turn, at most a window's
 * worth in flight. Nothing is handed to the bus while it is not connected.
 */
import { quarantinedGap } from "../core/drop.ts";
import { PublishError, messageOf } from "../core/errors.ts";
import type { Bus, Clock, Log, Message, Write } from "../core/ports.ts";
import type { Topics } from "../core/topics.ts";
import { Retained } from "./retained.ts";
import type { Faults } from "./faults.ts";
import type { Spool, TakenEntry } from "./spool.ts";
import type { SpoolEntry } from "./stream.ts";
import { Trials } from "./trials.ts";

/** ms after an error of our own until what is not acknowledged is sent again. */
const SEND_AGAIN = 1000;
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
  readonly faults: Pick<Faults, "note">;
}

/** Hands messages to the broker. */
export class Publisher {
  readonly #world: World;
  readonly #replies: Message[] = [];
  readonly #retained = new Retained();
  readonly #trials: Trials;
  readonly #refused = new Set<string>();
  #inFlight = 0;
  #isStateNext = true;
  #connected = false;
  /** Replies that were not sent since there was room for one. */
  #unanswered = 0;
  #idle: (() => void)[] = [];
  /** An error of our own left a message behind: nothing is sent until all are sent again, in order. */
  #broken = false;
  #cancelAgain: (() => void) | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#trials = new Trials({ ...world, due: this.pump });
    world.bus.onState((state) => {
      const wasConnected = this.#connected;
      this.#connected = state.connected;
      if (!state.connected) this.#trials.end();
      // The commands may be subscribed later than the connect: what is in flight stays so.
      if (!state.connected || wasConnected) return;
      this.#retained.changeAll();
      this.#isStateNext = true;
      this.#sendAgain();
    });
  }

  #sendAgain = (): void => {
    this.#cancelAgain?.();
    this.#cancelAgain = undefined;
    this.#broken = false;
    this.#trials.rewind();
    this.#world.spool.rewind();
    this.pump();
  };

  /** Publishes the state of a topic now and after every connect; an empty payload clears it. */
  retain(topic: string, payload: string): void {
    if (this.#retained.set(topic, payload)) this.pump();
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
    while (
      bus.state.connected &&
      this.#inFlight < bus.window &&
      !this.#trials.isOn &&
      !this.#broken
    ) {
      if (this.#trials.isDue) {
        if (this.#inFlight > 0 || !this.#sendSuspect()) break;
      } else if (!this.#sendReply() && !this.#sendNext()) break;
    }
    if (this.#inFlight > 0 || this.#world.spool.isReading) return;
    if (this.#broken) this.#cancelAgain ??= this.#world.clock.timer(SEND_AGAIN, this.#sendAgain);
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
    // A reply is never sent twice: it can't end more than one connection.
    this.#send(message, "", () => undefined);
    return true;
  }

  /** By turns, so that neither thousands of topics after a connect nor a day of readings make the other wait. */
  #sendNext(): boolean {
    const isState = this.#isStateNext;
    this.#isStateNext = !isState;
    return isState
      ? this.#sendRetained() || this.#sendSpooled()
      : this.#sendSpooled() || this.#sendRetained();
  }

  #sendRetained(): boolean {
    for (const topic of this.#retained.changed) {
      if (this.#trials.holds(nameOfRetained(topic))) continue;
      this.#sendState(topic);
      return true;
    }
    return false;
  }

  #sendState(topic: string): void {
    const payload = this.#retained.take(topic);
    this.#send({ topic, payload, qos: 1, retain: true }, nameOfRetained(topic), (error) => {
      this.#retained.settle(topic, payload, error);
      if (error?.code === "PUBLISH_REFUSED") this.#sayRefused(topic, error);
    });
  }

  #sendSpooled(): boolean {
    for (;;) {
      const taken = this.#world.spool.take(this.pump, this.#trials.parked);
      if (taken === undefined) return false;
      if (!this.#trials.holds(nameOf(taken))) {
        this.#sendTaken(taken);
        return true;
      }
      this.#trials.park(taken);
    }
  }

  #sendTaken(taken: TakenEntry): void {
    const { spool, topics, forget } = this.#world;
    const { stream, entry } = taken;
    const { topic, retain } = entry.spooled;
    if (topic === "") {
      forget(spool.acknowledge(stream, entry));
      return;
    }
    const payload = this.#payloadOf(entry);
    const message: Message = { topic: `${topics.base}/${topic}`, payload, qos: 1, retain };
    this.#send(message, nameOf(taken), (error) => {
      if (error !== undefined && error.code !== "PUBLISH_REFUSED") return;
      if (error === undefined) {
        forget(spool.acknowledge(stream, entry));
        return;
      }
      this.#sayRefused(message.topic, error);
      forget(this.#quarantine(stream, entry, error.message));
    });
  }

  /** Sends the next suspect; false when there is none left. */
  #sendSuspect(): boolean {
    this.#trials.isOn = true;
    const taken = this.#trials.unpark();
    if (taken !== undefined) {
      this.#sendTaken(taken);
      return true;
    }
    for (const topic of this.#retained.changed) {
      if (!this.#trials.isSuspect(nameOfRetained(topic))) continue;
      this.#sendState(topic);
      return true;
    }
    this.#trials.end();
    return true;
  }

  /** Moves a refused message aside; a gap takes the place of a reading, for those who may read the gaps. */
  #quarantine(stream: string, entry: SpoolEntry, reason: string): Write[] {
    const { spool, clock } = this.#world;
    const aside = spool.quarantine(stream, entry, { at: Math.round(clock.wall()), reason });
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

  #send(message: Message, name: string, settled: (error?: PublishError) => void): void {
    const refusal = this.#trials.refusalOf(message);
    if (refusal !== undefined) {
      this.#trials.isOn = false;
      settled(refusal);
      return;
    }
    this.#inFlight++;
    const end = (error?: PublishError) => {
      this.#inFlight--;
      this.#trials.isOn = false;
      settled(this.#trials.judge(message, name, error));
      this.pump();
    };
    const failed = (error: unknown) => {
      end(error instanceof PublishError ? error : this.#ownError(error));
    };
    try {
      this.#world.bus.publish(message).then(() => {
        end();
      }, failed);
    } catch (error) {
      failed(error);
    }
  }

  #ownError(error: unknown): PublishError {
    this.#broken = true;
    this.#world.faults.note(error, "in publishing");
    return new PublishError("PUBLISH_LOST", messageOf(error));
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

function nameOf({ stream, entry }: TakenEntry): string {
  return `${stream} ${String(entry.number)}`;
}

function nameOfRetained(topic: string): string {
  return `retained ${topic}`;
}
