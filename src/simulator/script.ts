/** Which fault holds for a request: a script for registers, for a unit, or for all. */
import type { FaultScript, FaultStep, Registers } from "../core/fault.ts";
import type { Table } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";

/** What a script looks at. */
export interface Asked {
  readonly unitId: number;
  /** Undefined for functions without addresses. */
  readonly range:
    | { readonly table: Table; readonly address: number; readonly count: number }
    | undefined;
}

/** When there is no fault. */
interface Normal {
  readonly kind: "normal";
}

/** The scripts of one endpoint, under way from the moment they are made. */
export class Scripts<F> {
  readonly #running: readonly Running<F>[];

  /** `changed` is called when a fault has ended. */
  constructor(scripts: readonly FaultScript<F>[], clock: Clock, changed: () => void) {
    this.#running = [...scripts]
      .sort((a, b) => specialty(b) - specialty(a))
      .map((script) => new Running(script, clock, changed));
  }

  /** The fault that holds for the endpoint as a whole. */
  get current(): FaultStep<F> | Normal {
    const ofAll = this.#running.find(({ script }) => specialty(script) === 0);
    return ofAll?.step ?? { kind: "normal" };
  }

  /** The fault of the next request. */
  take(asked: Asked): FaultStep<F> | Normal {
    return this.#running.find(({ script }) => fits(script, asked))?.take() ?? { kind: "normal" };
  }

  /** Begins no further step. */
  stop(): void {
    for (const running of this.#running) running.stop();
  }
}

/** A script under way. */
class Running<F> {
  readonly script: FaultScript<F>;
  readonly #clock: Clock;
  readonly #changed: () => void;
  #at = 0;
  /** Requests left of the step; infinite when they do not end it. */
  #left = Infinity;
  #cancel: () => void = () => undefined;

  constructor(script: FaultScript<F>, clock: Clock, changed: () => void) {
    this.script = script;
    this.#clock = clock;
    this.#changed = changed;
    this.#enter(0);
  }

  get step(): FaultStep<F> | undefined {
    return this.script.steps[this.#at];
  }

  take(): FaultStep<F> | undefined {
    if (this.#left === 0) this.#next();
    this.#left--;
    return this.step;
  }

  stop(): void {
    this.#cancel();
  }

  #next(): void {
    const at = this.#at + 1;
    const isOver = at >= this.script.steps.length && this.script.repeat === true;
    this.#enter(isOver ? 0 : at);
    this.#changed();
  }

  #enter(at: number): void {
    this.#at = at;
    const { requests = Infinity, for: time } = this.step ?? {};
    this.#left = requests;
    if (time === undefined) return;
    this.#cancel = this.#clock.timer(time, () => {
      this.#next();
    });
  }
}

function specialty({ unit, registers }: FaultScript<unknown>): number {
  return (registers === undefined ? 0 : 2) + (unit === undefined ? 0 : 1);
}

function fits({ unit, registers }: FaultScript<unknown>, { unitId, range }: Asked): boolean {
  if (unit !== undefined && unit !== unitId) return false;
  return registers === undefined || (range !== undefined && touches(registers, range));
}

function touches({ table, address, count = 1 }: Registers, range: NonNullable<Asked["range"]>) {
  const isBefore = range.address + range.count <= address;
  return table === range.table && !isBefore && range.address < address + count;
}
