/** A supply of one or three phases with something connected to it: its values fit each other at any time. */
import { FREQUENCY, POWER, POWER_FACTOR, VOLTAGE } from "./mains.ts";
import { shareOf } from "./random.ts";
import { integralOf, valueOf } from "./wave.ts";

/** Reactive power of each watt. */
const REACTIVE = Math.sqrt(1 / POWER_FACTOR ** 2 - 1);
const SECONDS_PER_HOUR = 3600;

/** Electrical quantities in V, A, W, VA, var, Hz, Wh and varh. */
export type Quantity =
  | "voltage"
  | "line-voltage"
  | "current"
  | "power"
  | "apparent-power"
  | "reactive-power"
  | "power-factor"
  | "phase-angle"
  | "frequency"
  | "energy-import"
  | "energy-export"
  | "energy-total"
  | "apparent-energy"
  | "reactive-import"
  | "reactive-export"
  | "reactive-total";

/** What a supply shows. */
export class Supply {
  readonly #seed: string;
  readonly #phases: readonly number[];

  /** Supplies of different seeds show different values. */
  constructor(seed: string, phases: 1 | 3) {
    this.#seed = seed;
    this.#phases = phases === 1 ? [1] : [1, 2, 3];
  }

  /** A quantity of a phase, or of all of them; the voltage of all is their mean. */
  valueOf(quantity: Quantity, phase: number | undefined, seconds: number): number {
    const phases = phase === undefined ? this.#phases : [phase];
    const sum = (of: (phase: number) => number) => phases.reduce((total, n) => total + of(n), 0);
    const power = () => sum((n) => valueOf(POWER, this.#share(n), seconds));
    const drawn = () => sum((n) => this.#drawn(n, seconds));
    const given = () => sum((n) => this.#start("export", n));
    switch (quantity) {
      case "voltage":
        return sum((n) => this.#voltage(n, seconds)) / phases.length;
      case "line-voltage":
        return (Math.sqrt(3) * sum((n) => this.#voltage(n, seconds))) / phases.length;
      case "current":
        return sum((n) => this.#current(n, seconds));
      case "power":
        return power();
      case "apparent-power":
        return power() / POWER_FACTOR;
      case "reactive-power":
        return power() * REACTIVE;
      case "power-factor":
        return POWER_FACTOR;
      case "phase-angle":
        return (Math.acos(POWER_FACTOR) * 180) / Math.PI;
      case "frequency":
        return valueOf(FREQUENCY, shareOf(this.#seed), seconds);
      case "energy-import":
        return drawn();
      case "energy-export":
        return given();
      case "energy-total":
        return drawn() + given();
      case "apparent-energy":
        return drawn() / POWER_FACTOR;
      case "reactive-import":
        return drawn() * REACTIVE;
      case "reactive-export":
        return given() * REACTIVE;
      case "reactive-total":
        return (drawn() + given()) * REACTIVE;
    }
  }

  #share(phase: number): number {
    return shareOf(`${this.#seed} L${String(phase)}`);
  }

  #voltage(phase: number, seconds: number): number {
    return valueOf(VOLTAGE, this.#share(phase), seconds);
  }

  #current(phase: number, seconds: number): number {
    const power = valueOf(POWER, this.#share(phase), seconds);
    return power / (this.#voltage(phase, seconds) * POWER_FACTOR);
  }

  /** Wh. */
  #drawn(phase: number, seconds: number): number {
    const joules = integralOf(POWER, this.#share(phase), seconds);
    return this.#start("import", phase) + joules / SECONDS_PER_HOUR;
  }

  /** Wh that a counter stands at in the beginning. */
  #start(counter: "import" | "export", phase: number): number {
    const share = shareOf(`${this.#seed} ${counter} L${String(phase)}`);
    return Math.round(1_000_000 + 500_000 * share) / (counter === "import" ? 1 : 10);
  }
}
