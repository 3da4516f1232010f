/** The bounds of the spool: its size, the room on the disk, and how long a message waits. */
import { Dropper, type DropperWorld } from "./dropper.ts";
import { SpoolAge, type SpoolAgeWorld } from "./spool-age.ts";
import { SpoolLimit, type SpoolLimitWorld } from "./spool-limit.ts";

/** What the bounds work with. */
export type SpoolBoundsWorld = Omit<DropperWorld & SpoolAgeWorld & SpoolLimitWorld, "dropper">;

/** See the head of this file. */
export class SpoolBounds {
  readonly #limit: SpoolLimit;
  readonly #age: SpoolAge;

  constructor(world: SpoolBoundsWorld) {
    const dropper = new Dropper(world);
    this.#limit = new SpoolLimit({ ...world, dropper });
    this.#age = new SpoolAge({ ...world, dropper });
  }

  /** Begins to watch. */
  open(): void {
    this.#limit.open();
    this.#age.open();
  }

  /** Ends the watch. */
  close(): void {
    this.#limit.close();
    this.#age.close();
  }
}
