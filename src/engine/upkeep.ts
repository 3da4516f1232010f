/**
 * What a node does for its store beside polling, one after the other: proves it, keeps it within its
 * bounds, and gives room back.
 */
import { Integrity, type IntegrityWorld } from "./integrity.ts";
import { Retention, type RetentionWorld } from "./retention.ts";
import { SpoolRoom, type SpoolRoomWorld } from "./spool-room.ts";
import { turns } from "./turns.ts";

/** What it works with. */
export type UpkeepWorld = Omit<IntegrityWorld & RetentionWorld & SpoolRoomWorld, "inTurn">;

/** See the head of this file. */
export class Upkeep {
  readonly integrity: Integrity;
  readonly #retention: Retention;
  readonly #spoolRoom: SpoolRoom;

  constructor(world: UpkeepWorld) {
    const inTurn = turns();
    this.integrity = new Integrity({ ...world, inTurn });
    this.#retention = new Retention({ ...world, inTurn });
    this.#spoolRoom = new SpoolRoom({ ...world, inTurn });
  }

  /** Begins. */
  open(): void {
    this.integrity.open();
    this.#retention.open();
    this.#spoolRoom.open();
  }

  /** Ends; what is on its way breaks off. */
  close(): void {
    this.integrity.close();
    this.#retention.close();
    this.#spoolRoom.close();
  }
}
