/** One read of a device, through the node that owns its endpoint, or directly when none does. */
import { askControl } from "../control/client.ts";
import { LockedError } from "../core/errors.ts";
import type { Connection, Device, Gateway } from "../core/model.ts";
import type { ReadRequest } from "../core/ports.ts";
import { answerOf, type DirectAnswer } from "../engine/direct-reads.ts";
import { openTcpLink } from "../modbus/tcp-link.ts";
import { createClock } from "../system/clock.ts";
import { pid } from "../system/facts.ts";
import { askHolder } from "../system/locks.ts";
import { random } from "../system/random.ts";
import { resolveHost } from "./endpoints.ts";
import { askNode } from "./remote.ts";
import { readSite, type Where } from "./site.ts";
import { lockPatiently } from "./state-lock.ts";
export { parseConnection } from "../config/connection.ts";
export { parseReference } from "../config/reference.ts";
export type { DirectAnswer } from "../engine/direct-reads.ts";

/** A device of the configuration with its gateway. */
export interface Configured {
  readonly gateway: Gateway;
  readonly device: Device;
  readonly stateDir: string;
}

/** All devices of the configuration. Throws `ConfigError`. */
export function configuredDevices(where: Where): Configured[] {
  const { site } = readSite(where);
  return site.gateways.flatMap((gateway) =>
    gateway.devices.map((device) => ({ gateway, device, stateDir: site.stateDir })),
  );
}

/** Reads once over TCP. Throws `LockedError` when somebody holds the endpoint who can't be asked. */
export async function readTcp(
  { host, port }: Extract<Connection, { kind: "tcp" }>,
  request: ReadRequest,
  timeout: number,
): Promise<DirectAnswer> {
  const clock = createClock();
  const endpoint = `${await resolveHost(clock, host)}:${String(port)}`;
  const name = `endpoint:${endpoint}`;
  const holder = { pid, node: "edgepoll read", stateDir: "", control: "" };
  try {
    const lock = await lockPatiently(name, holder, clock);
    const link = openTcpLink({ host, port, maxBackoff: 1000, clock, random });
    try {
      return answerOf(await link.read(request, timeout));
    } finally {
      await link.close();
      await lock.release();
    }
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    const owner = await askHolder(name);
    if (owner === undefined || owner.control === "") throw error;
    const payload = { ...plain(request), endpoint, timeout };
    // As a node of this version answers.
    return (await askControl(owner.control, "read", { payload })) as DirectAnswer;
  }
}

/** Reads once from a gateway that only the node can reach, such as a simulator. Throws `NoNodeError`. */
export async function readByNode(
  { gateway, stateDir }: Configured,
  request: ReadRequest,
  timeout: number,
): Promise<DirectAnswer> {
  const payload = { ...plain(request), gateway: gateway.id, timeout };
  // As a node of this version answers.
  return (await askNode(stateDir, "read", payload)) as DirectAnswer;
}

function plain({ unitId, table, address, count }: ReadRequest): ReadRequest {
  return { unitId, table, address, count };
}
