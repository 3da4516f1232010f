/** What a node does for its store beside polling: proves it and keeps it within its bounds, one after the other. */
import { Integrity, type IntegrityWorld } from "./integrity.ts";
import { Retention, type RetentionWorld } from "./retention.ts";
import { turns } from "./turns.ts";

/** What it works with. */
export type UpkeepWorld = Omit<IntegrityWorld & RetentionWorld, "inTurn">;

/** See the head of this file. */
export class Upkeep {
  readonly integrity: Integrity;
  readonly #retention: Retention;

  constructor(world: UpkeepWorld) {
    const inTurn = turns();
    this.integrity = new Integrity({ ...world, inTurn });
    this.#retention = new Retention({ ...world, inTurn });
  }

  /** Begins. */
  open(): void {
    this.integrity.open();
    this.#retention.open();
  }

  /** Ends; what is on its way breaks off. */
  close(): void {
    this.integrity.close();
    this.#retention.close();
  }
}
