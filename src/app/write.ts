/** One write to a device, through the node that owns its endpoint, or directly when none does. */
import { answerOf } from "../engine/direct-answer.ts";
import { carryOut, type DirectWrite, type Written } from "../engine/direct-write.ts";
import { EndpointUse } from "./endpoint-use.ts";
import type { Reachable } from "./links.ts";
export type { DirectWrite, Written } from "../engine/direct-write.ts";

/** ms that a node may take for all requests of a write and their turns. */
const PATIENCE = 60_000;

/** Reads, writes once and reads back. Throws `LockedError` when somebody holds the endpoint who can't be asked. */
export async function writeEndpoint(
  connection: Reachable,
  write: DirectWrite,
  timeout: number,
): Promise<Written> {
  const use = await EndpointUse.of(connection, "write");
  const link = use.link(connection);
  const alone = () =>
    carryOut(write, {
      read: async (request) => answerOf(await link.read(request, timeout)),
      write: (request) => link.write(request, timeout),
    });
  return use.work(link, alone, { ...write, timeout }, PATIENCE);
}
