/** One read of a device, through the node that owns its endpoint, or directly when none does. */
import { NoNodeError } from "../core/errors.ts";
import type { Device, Gateway } from "../core/model.ts";
import type { ReadRequest } from "../core/ports.ts";
import { answerOf, type DirectAnswer } from "../engine/direct-answer.ts";
import { deviceIn, revived, type ToldDevice } from "./device.ts";
import { EndpointUse, type Manner } from "./endpoint-use.ts";
import { askNode } from "./remote.ts";
import { locateState, readSite, type Where } from "./site.ts";
export type { DirectAnswer } from "../engine/direct-answer.ts";

/** A device of the configuration with its gateway. */
export interface Configured {
  readonly gateway: Gateway;
  readonly device: Device;
  readonly stateDir: string;
}

/** The devices there are, as `gateway/device`, and the one that was asked for. */
export interface FoundDevice {
  readonly names: readonly string[];
  readonly found?: Configured;
}

/**
 * A device as the node has it that runs on the state directory, whatever its file says by now; as
 * configured when none runs. Throws `ConfigError`, `PermissionError`, `UnavailableError`.
 */
export async function findDevice(where: Where, name: string): Promise<FoundDevice> {
  const stateDir = locateState(where);
  try {
    // As a node of this version answers.
    const told = (await askNode(stateDir, "device", { device: name })) as ToldDevice;
    return foundIn(revived(told), stateDir);
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
    return foundIn(deviceIn(readSite(where).site, name), stateDir);
  }
}

function foundIn({ names, gateway }: ToldDevice, stateDir: string): FoundDevice {
  const device = gateway?.devices[0];
  if (gateway === undefined || device === undefined) return { names };
  return { names, found: { gateway, device, stateDir } };
}

/** Reads once from an endpoint. Throws `LockedError` when somebody holds it who can't be asked. */
export async function readEndpoint(manner: Manner, request: ReadRequest): Promise<DirectAnswer> {
  const { timeout } = manner;
  const use = await EndpointUse.of(manner, "read");
  return use.work(async (link) => answerOf(await link.read(request, timeout)), {
    ...plain(request),
    timeout,
  });
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
