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
import { Suspects, TRIAL_AFTER } from "./suspects.ts";

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

type Taken = NonNullable<ReturnType<Spool["take"]>>;

/** Hands messages to the broker. */
export class Publisher {
  readonly #world: World;
  readonly #replies: Message[] = [];
  /** Latest payload of each retained topic, and the topics whose payload the broker may not have. */
  readonly #retained = new Map<string, string>();
  readonly #changed = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #suspects = new Suspects();
  #inFlight = 0;
  /** Suspects out of the spool, by their stream, which waits for them. */
  readonly #parked = new Map<string, Taken>();
  /** A suspect is in flight, alone: so it is known who ends the connection. */
  #onTrial = false;
  #cancelTrial: (() => void) | undefined;
  #connected = false;
  /** Replies that were not sent since there was room for one. */
  #unanswered = 0;
  #idle: (() => void)[] = [];

  constructor(world: World) {
    this.#world = world;
    world.bus.onState((state) => {
      const wasConnected = this.#connected;
      this.#connected = state.connected;
      if (!state.connected) this.#endTrials();
      // The commands may be subscribed later than the connect: what is in flight stays so.
      if (!state.connected || wasConnected) return;
      this.#parked.clear();
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
    while (bus.state.connected && this.#inFlight < bus.window && !this.#onTrial) {
      if (this.#isTrialDue()) {
        if (this.#inFlight > 0 || !this.#sendSuspect()) break;
      } else if (!this.#sendReply() && !this.#sendRetained() && !this.#sendSpooled()) break;
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
    // A reply is never sent twice: it can't end more than one connection.
    this.#send(message, "", () => undefined);
    return true;
  }

  #sendRetained(): boolean {
    for (const topic of this.#changed) {
      if (this.#suspects.has(nameOfRetained(topic))) {
        this.#armTrial();
        continue;
      }
      this.#sendState(topic);
      return true;
    }
    return false;
  }

  #sendState(topic: string): void {
    this.#changed.delete(topic);
    const payload = this.#retained.get(topic) ?? "";
    this.#send({ topic, payload, qos: 1, retain: true }, nameOfRetained(topic), (error) => {
      const isCleared = error === undefined && this.#retained.get(topic) === "";
      if (isCleared && payload === "") this.#retained.delete(topic);
      if (isLost(error)) this.#changed.add(topic);
      else if (error !== undefined) this.#sayRefused(topic, error);
    });
  }

  #sendSpooled(): boolean {
    for (;;) {
      const taken = this.#world.spool.take(this.pump, this.#parked);
      if (taken === undefined) return false;
      if (!this.#suspects.has(nameOf(taken))) {
        this.#sendTaken(taken);
        return true;
      }
      this.#parked.set(taken.stream, taken);
      this.#armTrial();
    }
  }

  #sendTaken(taken: Taken): void {
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
      if (isLost(error)) return;
      if (error === undefined) {
        forget(spool.acknowledge(stream, entry));
        return;
      }
      this.#sayRefused(message.topic, error);
      forget(this.#quarantine(stream, entry));
    });
  }

  #isTrialDue(): boolean {
    const { bus, clock } = this.#world;
    return this.#cancelTrial !== undefined && clock.elapsed() - bus.state.since >= TRIAL_AFTER;
  }

  /** Sends the next suspect; false when there is none left. */
  #sendSuspect(): boolean {
    this.#onTrial = true;
    for (const [stream, taken] of this.#parked) {
      this.#parked.delete(stream);
      this.#sendTaken(taken);
      return true;
    }
    for (const topic of this.#changed) {
      if (!this.#suspects.has(nameOfRetained(topic))) continue;
      this.#sendState(topic);
      return true;
    }
    this.#endTrials();
    return true;
  }

  #armTrial(): void {
    const { bus, clock } = this.#world;
    const left = bus.state.since + TRIAL_AFTER - clock.elapsed();
    this.#cancelTrial ??= clock.timer(Math.max(1, Math.ceil(left)), this.pump);
  }

  #endTrials(): void {
    this.#cancelTrial?.();
    this.#cancelTrial = undefined;
    this.#onTrial = false;
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

  #send(message: Message, name: string, settled: (error?: PublishError) => void): void {
    if (this.#suspects.isUnfit(message, this.#world.clock.elapsed())) {
      this.#onTrial = false;
      settled(givenUp(message));
      return;
    }
    this.#inFlight++;
    const end = (error?: PublishError) => {
      this.#inFlight--;
      this.#onTrial = false;
      settled(this.#judged(message, name, error));
      this.pump();
    };
    this.#world.bus.publish(message).then(
      () => {
        end();
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

  /** A message that has ended too many connections counts as refused. */
  #judged(message: Message, name: string, error?: PublishError): PublishError | undefined {
    if (error?.code !== "PUBLISH_CUT") {
      if (!isLost(error)) this.#suspects.clear(name);
      return error;
    }
    return this.#suspects.cut(name, message, this.#world.clock.elapsed())
      ? givenUp(message)
      : error;
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

function nameOf({ stream, entry }: Taken): string {
  return `${stream} ${String(entry.number)}`;
}

function nameOfRetained(topic: string): string {
  return `retained ${topic}`;
}

function givenUp({ topic }: Message): PublishError {
  const text = `The broker ended the connection each time a message on ${topic} was sent.`;
  return new PublishError("PUBLISH_REFUSED", text);
}

/** Whether a message is to be sent again. */
function isLost(error: PublishError | undefined): boolean {
  return error !== undefined && error.code !== "PUBLISH_REFUSED";
}
