/** Which fault holds for a request: a script for each unit, and one for all others. */
import type { Fault, FaultScript, FaultStep } from "../../src/simulator/fault.ts";

const NORMAL: Fault = { kind: "normal" };

/** A script under way. */
interface Running {
  readonly steps: FaultStep[];
  /** Requests left of the first step; infinite when it has no end. */
  left: number;
}

/** The scripts of one port. */
export class Scripts {
  readonly #changed: () => void;
  readonly #byUnit = new Map<number, Running>();
  #others: Running = runningOf([]);

  /** `changed` is called when a fault ends. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The fault that holds for the port as a whole. */
  get current(): Fault {
    return this.#others.steps[0] ?? NORMAL;
  }

  /** Begins a script; one for all units ends those of single units. */
  begin({ unit, steps }: FaultScript): void {
    if (unit === undefined) {
      this.#byUnit.clear();
      this.#others = runningOf(steps);
    } else {
      this.#byUnit.set(unit, runningOf(steps));
    }
    this.#changed();
  }

  /** The fault of the next request of a unit. */
  take(unit: number): Fault {
    const running = this.#byUnit.get(unit) ?? this.#others;
    if (running.left === 0) {
      running.steps.shift();
      running.left = running.steps[0]?.requests ?? Infinity;
      this.#changed();
    }
    running.left -= 1;
    return running.steps[0] ?? NORMAL;
  }
}

function runningOf(steps: readonly FaultStep[]): Running {
  return { steps: [...steps], left: steps[0]?.requests ?? Infinity };
}
