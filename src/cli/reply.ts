/** The reply of a node to a command. */
import { Refused, type Reply } from "../core/command.ts";
import type { GatewayHealth, GatewayState, NodeHealth } from "../core/payloads.ts";

/** The data of a reply to `status`. */
export interface Status {
  readonly node: NodeHealth;
  readonly gateways: readonly GatewayHealth[];
}

/** The data of a reply to `start`, `stop` and `enable`. */
export interface Changed {
  readonly gateways: readonly {
    readonly gateway: string;
    readonly state: GatewayState;
    readonly desired: "running" | "stopped";
    /** Devices whose breaker stays open. */
    readonly open: readonly string[];
  }[];
}

/** The data of a reply. Throws `Refused`. */
export function dataOf(reply: unknown): unknown {
  // What the control socket answers to a verb of the interface.
  const { data, error } = reply as Reply;
  if (error !== undefined) throw new Refused(error.code, error.message);
  return data;
}
