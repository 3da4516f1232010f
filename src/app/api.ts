/** What the command line gets from the compositions. */
import type { StartReport } from "../engine/opening.ts";

/** A node that has started. */
export interface NodeReport extends StartReport {
  readonly version: string;
  readonly nodeVersion: string;
  readonly pid: number;
  readonly node: string;
  readonly config: string;
  readonly stateDir: string;
  readonly baseTopic: string;
  readonly gateways: readonly {
    readonly id: string;
    /** As configured, such as `tcp://10.0.0.5:502`; for a simulator with the address it listens on. */
    readonly connection: string;
    readonly intervals: readonly number[];
    readonly devices: number;
    readonly points: number;
    readonly requests: number;
  }[];
  readonly broker: { readonly embedded: boolean; readonly url: string; readonly port: number };
  /** Wall time of the last clean stop, null when there was none. */
  readonly lastStop: number | null;
  readonly warnings: readonly string[];
  readonly withoutEffect: readonly string[];
  /** ms until the first slot, null when nothing runs. */
  readonly firstSlotIn: number | null;
}

/** A node that runs in this process. */
export interface RunningNode {
  readonly report: NodeReport;
  /** Settles when the node has ended, with the exit code of the process. */
  readonly ended: Promise<number>;
}
