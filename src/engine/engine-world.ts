/** What the engine is made from. */
import type { Gateway, Site } from "../core/model.ts";
import type { Bus, Clock, Log, Random, Store } from "../core/ports.ts";
import type { AuditLooks } from "./audit.ts";
import type { WallClockFacts } from "./clock-trust.ts";
import type { ProcessFacts } from "./health.ts";
import type { Endpoint } from "./opening.ts";
import type { Reread } from "./reload.ts";
import type { DiskRoom } from "./spool-limit.ts";

/** What the engine needs from the world. */
export interface EngineWorld {
  readonly site: Site;
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
  readonly log: Log;
  readonly store: Store;
  readonly bus: Bus;
  readonly endpoint: (gateway: Gateway) => Endpoint;
  readonly facts: () => ProcessFacts;
  readonly wallClock: WallClockFacts;
  /** Size of the store on disk, null when not known. */
  readonly storeBytes: () => number | null;
  /** Room on the disk of the store, null when not known. */
  readonly diskRoom: () => DiskRoom | null;
  /** What an audit needs of the machine. */
  readonly looks: AuditLooks;
  readonly self: { version: string; started: number; pid: number; clientId: string };
  readonly reread: () => Promise<Reread>;
  /** Told of each pass of the scheduler. */
  readonly passed: () => void;
  /** Too many errors in edgepoll itself: the process is to end. */
  readonly giveUp: () => void;
}
