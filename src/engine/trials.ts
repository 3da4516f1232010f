/**
 * What happens with messages that the broker may not take: suspects stand aside, and are sent alone on a
 * connection that has stood for a while, so that it is known who ends it.
 */
import { PublishError } from "../core/errors.ts";
import type { Bus, Clock, Message } from "../core/ports.ts";
import type { TakenEntry } from "./spool.ts";
import { Suspects, TRIAL_AFTER } from "./suspects.ts";

/** What trials work with. */
export interface TrialsWorld {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Called when the time for a trial has come. */
  readonly due: () => void;
}

/** See the head of this file. */
export class Trials {
  readonly #world: TrialsWorld;
  readonly #suspects = new Suspects();
  /** Suspects out of the spool, by their stream, which waits for them. */
  readonly #parked = new Map<string, TakenEntry>();
  #cancel: (() => void) | undefined;
  /** A suspect is in flight, alone. */
  isOn = false;

  constructor(world: TrialsWorld) {
    this.#world = world;
  }

  /** Streams of which a suspect stands aside. */
  get parked(): ReadonlyMap<string, TakenEntry> {
    return this.#parked;
  }

  /** Whether the message with this name is suspect; then a trial is set for it. */
  holds(name: string): boolean {
    if (!this.#suspects.has(name)) return false;
    const { bus, clock } = this.#world;
    const left = bus.state.since + TRIAL_AFTER - clock.elapsed();
    this.#cancel ??= clock.timer(Math.max(1, Math.ceil(left)), this.#world.due);
    return true;
  }

  /** A suspect out of the spool stands aside, and its stream with it. */
  park(taken: TakenEntry): void {
    this.#parked.set(taken.stream, taken);
  }

  /** Gives back one of those that stand aside, to be sent. */
  unpark(): TakenEntry | undefined {
    for (const [stream, taken] of this.#parked) {
      this.#parked.delete(stream);
      return taken;
    }
    return undefined;
  }

  /** Whether a trial is set and its time has come. */
  get isDue(): boolean {
    const { bus, clock } = this.#world;
    return this.#cancel !== undefined && clock.elapsed() - bus.state.since >= TRIAL_AFTER;
  }

  /** Whether the message with this name is to be sent alone. */
  isSuspect(name: string): boolean {
    return this.#suspects.has(name);
  }

  /** There is no suspect left, or no connection. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.isOn = false;
  }

  /** The connection is new: what stood aside is taken from the spool again. */
  rewind(): void {
    this.#parked.clear();
  }

  /** The refusal of a message that is not worth sending; undefined when it is to be sent. */
  refusalOf(message: Message): PublishError | undefined {
    const isUnfit = this.#suspects.isUnfit(message, this.#world.clock.elapsed());
    return isUnfit ? givenUp(message) : undefined;
  }

  /** How a message ended: one that has ended too many connections counts as refused. */
  judge(message: Message, name: string, error?: PublishError): PublishError | undefined {
    if (error?.code !== "PUBLISH_CUT") {
      if (error === undefined || error.code === "PUBLISH_REFUSED") this.#suspects.clear(name);
      return error;
    }
    const now = this.#world.clock.elapsed();
    return this.#suspects.cut(name, message, now) ? givenUp(message) : error;
  }
}

function givenUp({ topic }: Message): PublishError {
  const text = `The broker ended the connection each time a message on ${topic} was sent.`;
  return new PublishError("PUBLISH_REFUSED", text);
}
