/** The bus of a site: with a broker of its own, or to one that is already there. */
import { EdgepollError } from "../core/errors.ts";
import type { Site } from "../core/model.ts";
import type { Bus, Clock, Log } from "../core/ports.ts";
import { topicsOf } from "../core/topics.ts";

// Each way to a broker loads its library when it is taken: the other one would only cost memory.

/** The bus with a broker of its own; undefined when the site has an external one. */
export async function embeddedBus(site: Site, clock: Clock, log: Log): Promise<Bus | undefined> {
  const { broker } = site;
  if (broker.kind !== "embedded") return undefined;
  const { createEmbeddedBus } = await import("../mqtt/embedded-bus.ts");
  return createEmbeddedBus({ ...busParts(site, clock, log), host: broker.host, port: broker.port });
}

/** The bus to the site's external broker. */
export async function externalBus(
  site: Site,
  clientId: string,
  clock: Clock,
  log: Log,
): Promise<Bus> {
  const { broker } = site;
  if (broker.kind === "embedded") throw new EdgepollError("INTERNAL", "the broker is embedded");
  const { createExternalBus } = await import("../mqtt/external-bus.ts");
  const { url, username, password } = broker;
  return createExternalBus({
    ...busParts(site, clock, log),
    ...{ url, clientId },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  });
}

function busParts({ baseTopic }: Site, clock: Clock, log: Log) {
  const { commands: commandFilter, nodeState } = topicsOf(baseTopic);
  const will = { topic: nodeState, payload: "offline", qos: 1, retain: true } as const;
  return { commandFilter, will, clock, log };
}
