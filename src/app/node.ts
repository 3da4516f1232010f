/** The running node: adapters and engine put together, started and stopped in order. */
import { randomInt } from "node:crypto";
import { openControl } from "../control/server.ts";
import { EdgepollError } from "../core/errors.ts";
import { intervalsOf, type Site } from "../core/model.ts";
import type { Bus, Clock, Log, Store } from "../core/ports.ts";
import { keys, type NodeRecord } from "../core/records.ts";
import { topicsOf } from "../core/topics.ts";
import { Engine } from "../engine/engine.ts";
import { createEmbeddedBus } from "../mqtt/embedded-bus.ts";
import { createExternalBus } from "../mqtt/external-bus.ts";
import { openLevelStore } from "../store/level-store.ts";
import { storeBytes } from "../store/size.ts";
import { createClock } from "../system/clock.ts";
import { isClockSynced } from "../system/clock-sync.ts";
import { nodeVersion, pid, residentMemory, version } from "../system/facts.ts";
import { createLog } from "../system/logger.ts";
import { watchLoop } from "../system/loop-delay.ts";
import { controlSocketPath, ensureStateDir } from "../system/paths.ts";
import type { NodeOptions, NodeReport, RunningNode } from "./api.ts";
import { requestsOfGateway } from "./check.ts";
import { handleControl } from "./control.ts";
import { Endpoints } from "./endpoints.ts";
import { endOnSignals } from "./ending.ts";
import { Releases } from "./releases.ts";
import { readSite, type ReadSite } from "./site.ts";
import { lockState } from "./state-lock.ts";

/** Starts a node; what was opened is closed again when a later step fails. Throws `EdgepollError`. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const read = readSite(options);
  const clock = createClock();
  const log = createLog(read.site.logLevel);
  const releases = new Releases(log);
  try {
    return await open(read, clock, log, releases);
  } catch (error) {
    await releases.run();
    throw error;
  }
}

async function open(
  { site: configured, path, warnings }: ReadSite,
  clock: Clock,
  log: Log,
  releases: Releases,
): Promise<RunningNode> {
  const stateDir = ensureStateDir(configured.stateDir);
  const site: Site = { ...configured, stateDir };
  const control = controlSocketPath(stateDir);
  const holder = { pid, node: site.node, stateDir, control };
  const lock = await lockState(stateDir, holder, clock);
  releases.add("lock", () => lock.release());
  const endpoints = new Endpoints(clock, holder);
  releases.add("endpoints", () => endpoints.close());
  await endpoints.open(site.gateways);
  const open = async (bus: Bus): Promise<Bus> => {
    releases.add("bus", () => bus.close());
    await bus.open();
    return bus;
  };
  // What can refuse the start comes before the store, so that a start that is refused leaves no state behind.
  const embedded = embeddedBus(site, clock, log);
  if (embedded !== undefined) await open(embedded);
  const store = await openLevelStore(stateDir, { create: true, clock });
  releases.add("store", () => store.close());
  const kept = await keptNode(store);
  const clientId = site.clientId ?? `edgepoll-${site.node}-${kept.suffix}`;
  const bus = embedded ?? (await open(externalBus(site, clientId, clock, log)));
  const loop = watchLoop();
  releases.add("loop watch", () => {
    loop.stop();
    return Promise.resolve();
  });
  const engine = new Engine({
    ...{ site, clock, log, store, bus },
    endpoint: (gateway) => endpoints.of(gateway),
    facts: () => ({
      rss: residentMemory(),
      loopDelay: loop.read(),
      storeBytes: storeBytes(stateDir),
      clockSynced: isClockSynced(),
    }),
    self: { version: version(), started: Math.round(clock.wall()), pid, clientId },
  });
  const found = await engine.open();
  const ending = endOnSignals({ clock, log, engine, endpoints, releases, store, kept });
  const server = await openControl({
    path: control,
    handle: handleControl(engine, ending.end),
    log,
  });
  releases.add("control socket", () => server.close());
  const lastStop = kept.lastStop;
  await store.write([{ key: keys.node, value: JSON.stringify({ ...kept, lastStop: null }) }], true);
  const firstSlotIn =
    found.firstDue === null ? null : Math.max(0, found.firstDue - clock.elapsed());
  const report: NodeReport = {
    ...found,
    ...{ version: version(), nodeVersion, pid, node: site.node, config: path, stateDir },
    baseTopic: site.baseTopic,
    gateways: gatewaysOf(site, endpoints),
    broker: brokerOf(site),
    ...{ lastStop, warnings, withoutEffect: site.withoutEffect, firstSlotIn },
  };
  return { report, ended: ending.ended };
}

function embeddedBus(site: Site, clock: Clock, log: Log): Bus | undefined {
  const { broker } = site;
  if (broker.kind !== "embedded") return undefined;
  return createEmbeddedBus({ ...busParts(site, clock, log), host: broker.host, port: broker.port });
}

function externalBus(site: Site, clientId: string, clock: Clock, log: Log): Bus {
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

async function keptNode(store: Store): Promise<NodeRecord> {
  const text = await store.get(keys.node);
  // As written below: the store has checked its checksum.
  if (text !== undefined) return JSON.parse(text) as NodeRecord;
  const suffix = randomInt(36 ** 6)
    .toString(36)
    .padStart(6, "0");
  return { suffix, lastStop: null };
}

function gatewaysOf(site: Site, endpoints: Endpoints): NodeReport["gateways"] {
  return site.gateways.map((gateway) => {
    const { id, connection, devices } = gateway;
    const simulated = connection.kind === "simulator";
    return {
      id,
      connection: simulated
        ? `${connection.url} at tcp://${endpoints.addressOf(gateway)}`
        : connection.url,
      intervals: intervalsOf(gateway),
      devices: devices.length,
      points: devices.reduce((sum, { points }) => sum + points.length, 0),
      requests: requestsOfGateway(gateway),
    };
  });
}

function brokerOf({ broker }: Site): NodeReport["broker"] {
  if (broker.kind === "embedded") {
    const { host, port } = broker;
    return { embedded: true, url: `mqtt://${host}:${String(port)}`, port };
  }
  const url = new URL(broker.url);
  return { embedded: false, url: `${url.protocol}//${url.host}`, port: Number(url.port) || 1883 };
}
