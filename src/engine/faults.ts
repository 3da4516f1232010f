/** Errors in edgepoll itself: logged, put on the audit trail, counted. Too many of them end the process. */
import { messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import { areTooMany, recentErrors } from "../core/supervision.ts";
import type { Happening } from "./journal.ts";

/** What it works with. */
export interface FaultsWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly tell: (happening: Happening) => void;
  /** The process is to end: what else is broken can't be known. */
  readonly giveUp: () => void;
}

/** See the head of this file. */
export class Faults {
  readonly #world: FaultsWorld;
  #count = 0;
  #recent: number[] = [];

  constructor(world: FaultsWorld) {
    this.#world = world;
  }

  /** Errors since the start. */
  get count(): number {
    return this.#count;
  }

  /** Takes an error; `where` in words, such as `in a poll of boiler-room@1000`. */
  note = (error: unknown, where: string, gateway?: string): void => {
    const { clock, log, tell, giveUp } = this.#world;
    this.#count++;
    const text = `an error in edgepoll itself, ${where}: ${messageOf(error)}`;
    log.error({ error: messageOf(error), stack: stackOf(error), gateway }, text);
    this.#recent = recentErrors([...this.#recent, clock.elapsed()], clock.elapsed());
    tell({ kind: "internal-error", text, ...(gateway === undefined ? {} : { gateway }) });
    if (areTooMany(this.#recent)) giveUp();
  };

  /** The callback, its errors taken here. */
  guarded<T extends unknown[]>(where: string, callback: (...given: T) => void) {
    return (...given: T): void => {
      try {
        callback(...given);
      } catch (error) {
        this.note(error, where);
      }
    };
  }
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
