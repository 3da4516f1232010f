/** The one-at-a-time way to an endpoint: one request in flight, the next by earliest deadline. */

/** A place in the queue of a lane. */
export interface Ticket {
  /** Whether it is this ticket's turn. */
  readonly granted: boolean;
  /** Gives the turn back, or leaves the queue. Safe to call twice. */
  leave(): void;
}

interface Waiting extends Ticket {
  readonly deadline: number;
  readonly interval: number;
  readonly grant: () => void;
  turn: boolean;
}

/** Grants turns to one endpoint; gateways that name the same endpoint share it. */
export class Lane {
  #holder: Waiting | undefined;
  #queue: Waiting[] = [];

  /**
   * Asks for a turn. `grant` is called once, at once if the lane is free. The earliest `deadline` (elapsed
   * ms) goes first, ties to the shorter `interval`.
   */
  enter(deadline: number, interval: number, grant: () => void): Ticket {
    const waiting: Waiting = {
      deadline,
      interval,
      grant,
      turn: false,
      get granted() {
        return this.turn;
      },
      leave: () => {
        this.#leave(waiting);
      },
    };
    this.#queue.push(waiting);
    if (this.#holder === undefined) this.#next();
    return waiting;
  }

  #leave(waiting: Waiting): void {
    if (this.#holder === waiting) {
      this.#holder = undefined;
      this.#next();
    } else {
      this.#queue = this.#queue.filter((other) => other !== waiting);
    }
  }

  #next(): void {
    let first = this.#queue[0];
    if (first === undefined) return;
    for (const other of this.#queue) if (goesBefore(other, first)) first = other;
    const chosen = first;
    this.#queue = this.#queue.filter((other) => other !== chosen);
    this.#holder = chosen;
    chosen.turn = true;
    chosen.grant();
  }
}

function goesBefore(a: Waiting, b: Waiting): boolean {
  return a.deadline === b.deadline ? a.interval < b.interval : a.deadline < b.deadline;
}
