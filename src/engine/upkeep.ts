/**
 * What a node does beside polling: it watches its schedules, and one after the other proves its store,
 * keeps it within its bounds, and gives room back.
 */
import { Integrity, type IntegrityWorld } from "./integrity.ts";
import { Retention, type RetentionWorld } from "./retention.ts";
import { SpoolRoom, type SpoolRoomWorld } from "./spool-room.ts";
import { Supervision, type SupervisionWorld } from "./supervision.ts";
import { turns, type InTurn } from "./turns.ts";

/** What it works with. */
export type UpkeepWorld = Omit<
  IntegrityWorld & RetentionWorld & SpoolRoomWorld & SupervisionWorld,
  "inTurn" | "stalls"
>;

/** See the head of this file. */
export class Upkeep {
  readonly integrity: Integrity;
  readonly supervision: Supervision;
  /** Its turns, for other work on the store. */
  readonly inTurn: InTurn;
  readonly #retention: Retention;
  readonly #spoolRoom: SpoolRoom;

  constructor(world: UpkeepWorld) {
    const inTurn = (this.inTurn = turns());
    const supervision = (this.supervision = new Supervision(world));
    this.integrity = new Integrity({ ...world, inTurn, stalls: () => supervision.findings });
    this.#retention = new Retention({ ...world, inTurn });
    this.#spoolRoom = new SpoolRoom({ ...world, inTurn });
  }

  /** Begins. */
  open(): void {
    this.supervision.open();
    this.integrity.open();
    this.#retention.open();
    this.#spoolRoom.open();
  }

  /** Ends; what is on its way breaks off. */
  close(): void {
    this.supervision.close();
    this.integrity.close();
    this.#retention.close();
    this.#spoolRoom.close();
  }
}
