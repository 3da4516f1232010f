/** Which fault holds for a request: a script for registers, one for each unit, and one for all others. */
import type { Fault, FaultScript, FaultStep, Registers } from "../../src/core/fault.ts";
import type { Request } from "./slave-answers.ts";

const NORMAL: Fault = { kind: "normal" };
/** Function codes of reads. */
const FUNCTIONS = { coil: 1, discrete: 2, holding: 3, input: 4 } as const;

/** A script under way. */
interface Running {
  readonly script: FaultScript;
  steps: readonly FaultStep[];
  /** Requests left of the first step; infinite when it has no end. */
  left: number;
  timer?: NodeJS.Timeout | undefined;
}

/** The scripts of one port. */
export class Scripts {
  readonly #changed: () => void;
  readonly #special: Running[] = [];
  #others: Running;

  /** `changed` is called when a fault ends. */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#others = this.#run({ steps: [] });
  }

  /** The fault that holds for the port as a whole. */
  get current(): Fault {
    return this.#others.steps[0] ?? NORMAL;
  }

  /** Begins a script; one for all units ends those of single units. */
  begin(script: FaultScript): void {
    const isSpecial = script.unit !== undefined || script.registers !== undefined;
    const place = placeOf(script);
    const ended = this.#special.filter((each) => !isSpecial || placeOf(each.script) === place);
    for (const each of ended) {
      clearTimeout(each.timer);
      this.#special.splice(this.#special.indexOf(each), 1);
    }
    if (isSpecial) {
      this.#special.push(this.#run(script));
      // One for registers goes before one for a unit.
      this.#special.sort((a, b) => Number(!a.script.registers) - Number(!b.script.registers));
    } else {
      clearTimeout(this.#others.timer);
      this.#others = this.#run(script);
    }
    this.#changed();
  }

  /** The fault of the next request. */
  take(request: Request): Fault {
    const running = this.#special.find(({ script }) => fits(script, request)) ?? this.#others;
    if (running.left === 0) this.#next(running);
    running.left -= 1;
    return running.steps[0] ?? NORMAL;
  }

  #run(script: FaultScript): Running {
    const running: Running = { script, steps: script.steps, left: Infinity };
    this.#enter(running);
    return running;
  }

  #enter(running: Running): void {
    const [step] = running.steps;
    running.left = step?.requests ?? Infinity;
    running.timer = undefined;
    if (step?.for !== undefined) {
      running.timer = setTimeout(() => {
        this.#next(running);
      }, step.for);
    }
  }

  #next(running: Running): void {
    const rest = running.steps.slice(1);
    const { repeat = false, steps } = running.script;
    running.steps = rest.length === 0 && repeat ? steps : rest;
    this.#enter(running);
    this.#changed();
  }
}

function placeOf({ unit, registers }: FaultScript): string {
  return JSON.stringify([unit, registers]);
}

function fits({ unit, registers }: FaultScript, request: Request): boolean {
  return (unit ?? request.unit) === request.unit && (!registers || touches(registers, request));
}

function touches({ table, address, count = 1 }: Registers, request: Request): boolean {
  const isBefore = request.address + request.count <= address;
  return FUNCTIONS[table] === request.fc && !isBefore && request.address < address + count;
}
