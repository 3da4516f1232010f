/**
 * The one-at-a-time way to an endpoint: one request in flight, the next by earliest deadline; commands
 * take at most every second turn.
 */

import { Pace } from "./pace.ts";

/** A place in the queue of a lane. */
export interface Ticket {
  /** Whether it is this ticket's turn. */
  readonly granted: boolean;
  /** Gives the turn back, or leaves the queue. Safe to call twice. */
  leave(): void;
}

/** A ticket of a lane. */
class Waiting implements Ticket {
  readonly by: "poll" | "command";
  readonly deadline: number;
  readonly interval: number;
  readonly grant: () => void;
  granted = false;
  readonly #leave: (waiting: Waiting) => void;

  constructor(
    place: Pick<Waiting, "by" | "deadline" | "interval" | "grant">,
    leave: (waiting: Waiting) => void,
  ) {
    this.by = place.by;
    this.deadline = place.deadline;
    this.interval = place.interval;
    this.grant = place.grant;
    this.#leave = leave;
  }

  leave(): void {
    this.#leave(this);
  }
}

/** Grants turns to one endpoint; gateways that name the same endpoint share it. */
export class Lane {
  /** The pauses between requests that go this way. */
  readonly pace = new Pace();
  #holder: Waiting | undefined;
  #lastBy: Waiting["by"] = "poll";
  /** One list for good: a list that is replaced grows old, and keeps tickets that are long done from the scavenger. */
  readonly #queue: Waiting[] = [];

  /**
   * Asks for a turn of a poll. `grant` is called once, at once if the lane is free. The earliest `deadline`
   * (elapsed ms) goes first, ties to the shorter `interval`.
   */
  enter(deadline: number, interval: number, grant: () => void): Ticket {
    return this.#enter("poll", deadline, interval, grant);
  }

  /** Whether it is nobody's turn, and nobody waits for one. */
  get isFree(): boolean {
    return this.#holder === undefined;
  }

  /** Asks for a turn of a command; never granted after that of another command while a poll waits. */
  enterCommand(deadline: number, grant: () => void): Ticket {
    return this.#enter("command", deadline, Infinity, grant);
  }

  #enter(by: Waiting["by"], deadline: number, interval: number, grant: () => void): Ticket {
    const waiting = new Waiting({ by, deadline, interval, grant }, this.#leave);
    if (this.#holder === undefined) this.#grant(waiting);
    else this.#queue.push(waiting);
    return waiting;
  }

  readonly #leave = (waiting: Waiting): void => {
    if (this.#holder === waiting) {
      this.#holder = undefined;
      this.#next();
    } else this.#remove(waiting);
  };

  #next(): void {
    const isPollsTurn = this.#lastBy === "command" && this.#queue.some(({ by }) => by === "poll");
    let chosen: Waiting | undefined;
    for (const other of this.#queue) {
      if (isPollsTurn && other.by !== "poll") continue;
      if (chosen === undefined || goesBefore(other, chosen)) chosen = other;
    }
    if (chosen === undefined) return;
    this.#remove(chosen);
    this.#grant(chosen);
  }

  #remove(waiting: Waiting): void {
    const place = this.#queue.indexOf(waiting);
    if (place >= 0) this.#queue.splice(place, 1);
  }

  #grant(waiting: Waiting): void {
    this.#holder = waiting;
    this.#lastBy = waiting.by;
    waiting.granted = true;
    waiting.grant();
  }
}

function goesBefore(a: Waiting, b: Waiting): boolean {
  return a.deadline === b.deadline ? a.interval < b.interval : a.deadline < b.deadline;
}
