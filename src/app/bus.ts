/** The bus of a site: with a broker of its own, or to one that is already there. */
import { EdgepollError } from "../core/errors.ts";
import type { Site } from "../core/model.ts";
import type { Bus, Clock, Log } from "../core/ports.ts";
import { topicsOf } from "../core/topics.ts";
import { createEmbeddedBus } from "../mqtt/embedded-bus.ts";
import { createExternalBus } from "../mqtt/external-bus.ts";

/** The bus with a broker of its own; undefined when the site has an external one. */
export function embeddedBus(site: Site, clock: Clock, log: Log): Bus | undefined {
  const { broker } = site;
  if (broker.kind !== "embedded") return undefined;
  return createEmbeddedBus({ ...busParts(site, clock, log), host: broker.host, port: broker.port });
}

/** The bus to the site's external broker. */
export function externalBus(site: Site, clientId: string, clock: Clock, log: Log): Bus {
  const { broker } = site;
  if (broker.kind === "embedded") throw new EdgepollError("INTERNAL", "the broker is embedded");
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
