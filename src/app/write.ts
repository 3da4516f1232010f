/** One write to a device, through the node that owns its endpoint, or directly when none does. */
import { answerOf } from "../engine/direct-answer.ts";
import { carryOut, type DirectWrite, type Written } from "../engine/direct-write.ts";
import type { ConnectingLink } from "../modbus/connecting-link.ts";
import { EndpointUse, type Manner } from "./endpoint-use.ts";
export type { DirectWrite, Written } from "../engine/direct-write.ts";

/** ms that a node may take for all requests of a write and their turns. */
const PATIENCE = 60_000;

/** Reads, writes once and reads back. Throws `LockedError` when somebody holds the endpoint who can't be asked. */
export async function writeEndpoint(manner: Manner, write: DirectWrite): Promise<Written> {
  const { timeout } = manner;
  const use = await EndpointUse.of(manner, "write");
  const alone = (link: ConnectingLink) =>
    carryOut(write, {
      read: async (request) => answerOf(await link.read(request, timeout)),
      write: (request) => link.write(request, timeout),
    });
  return use.work(alone, { ...write, timeout }, PATIENCE);
}
