/** The running node: adapters and engine put together, started and stopped in order. */
import { randomInt } from "node:crypto";
import { openControl } from "../control/server.ts";
import { count } from "../core/count.ts";
import type { Site } from "../core/model.ts";
import type { Bus, Clock, Log, Store } from "../core/ports.ts";
import { keys, type NodeRecord } from "../core/records.ts";
import { Engine } from "../engine/engine.ts";
import type { ProcessFacts } from "../engine/health.ts";
import { Liveness } from "../engine/liveness.ts";
import { openLevelStore } from "../store/level-store.ts";
import { diskRoom, storeBytes } from "../store/size.ts";
import { createClock } from "../system/clock.ts";
import { isClockSynced } from "../system/clock-sync.ts";
import { builtAt, pid, residentMemory, version } from "../system/facts.ts";
import { createLog } from "../system/logger.ts";
import { watchLoop, type WatchedClock } from "../system/loop-delay.ts";
import { keepHeapSmall } from "../system/memory.ts";
import { controlSocketPath, ensureStateDir } from "../system/paths.ts";
import { random } from "../system/random.ts";
import { serviceManager } from "../system/service-manager.ts";
import type { RunningNode } from "./api.ts";
import { auditLooks } from "./audit-looks.ts";
import { embeddedBus, externalBus } from "./bus.ts";
import { handleControl } from "./control.ts";
import { Endpoints } from "./endpoints.ts";
import { endOnSignals } from "./ending.ts";
import { Releases } from "./releases.ts";
import { isDamage, repairStore } from "./repair.ts";
import { reportOf } from "./report.ts";
import { reread } from "./reread.ts";
import { Hangups } from "./hangups.ts";
import type { ReadSite, Where } from "./site.ts";
import { lockState } from "./state-lock.ts";

/** How a node starts. */
export interface StartOptions {
  /** Default: SIGHUP is taken from now on. */
  readonly hangups?: Hangups;
  readonly repair?: boolean;
}

/**
 * Starts a node; what was opened is closed again when a later step fails. With `repair` a store that
 * turns out to be damaged is repaired and the start tried again. Throws `EdgepollError`.
 */
export async function startNode(
  read: ReadSite,
  where: Where,
  { hangups = new Hangups(), repair = false }: StartOptions = {},
): Promise<RunningNode> {
  const watched = watchLoop(createClock());
  const log = createLog(read.site.logLevel);
  const attempt = async (isDamaged: boolean): Promise<RunningNode> => {
    const releases = new Releases(log);
    const leaveHeap = keepHeapSmall(watched.clock);
    releases.add("heap", () => {
      leaveHeap();
      return Promise.resolve();
    });
    try {
      const there = { ...where, config: read.path };
      return await open(read, there, hangups, watched, log, releases, isDamaged);
    } catch (error) {
      await releases.run();
      throw error;
    }
  };
  return attempt(false).catch((error: unknown) => {
    if (repair && isDamage(error)) return attempt(true);
    throw error;
  });
}

async function open(
  read: ReadSite,
  where: Where,
  hangups: Hangups,
  { clock, delay }: WatchedClock,
  log: Log,
  releases: Releases,
  isDamaged: boolean,
): Promise<RunningNode> {
  const stateDir = ensureStateDir(read.site.stateDir);
  const site: Site = { ...read.site, stateDir };
  const control = controlSocketPath(stateDir);
  const holder = { pid, node: site.node, stateDir, control };
  const { manager, liveness } = watchdog(clock, log, releases);
  const lock = await lockState(stateDir, holder, clock);
  releases.add("lock", () => lock.release());
  const endpoints = new Endpoints(clock, holder);
  releases.add("endpoints", () => endpoints.close());
  await endpoints.open(site.gateways);
  // What can refuse the start comes before the store, so that a start that is refused leaves no state behind.
  const embedded = await opened(await embeddedBus(site, clock, log), releases);
  if (isDamaged) await repairStore(stateDir, log);
  const store = liveness.watched(await openLevelStore(stateDir, { create: true, clock }));
  releases.add("store", () => store.close());
  const kept = { ...(await keptNode(store)), node: site.node };
  const clientId = site.clientId ?? `edgepoll-${site.node}-${kept.suffix}`;
  const bus = embedded ?? (await opened(await externalBus(site, clientId, clock, log), releases));
  const facts = (): ProcessFacts => {
    return { rss: residentMemory(), loopDelay: delay() };
  };
  const wallClock = { built: builtAt(), isSynced: () => isClockSynced() };
  const self = { version: version(), started: Math.round(clock.wall()), pid, clientId };
  const endpoint = endpoints.of.bind(endpoints);
  const world = { site, clock, random, log, store, bus, endpoint, facts, wallClock, self };
  let giveUp = (): void => undefined;
  const looks = auditLooks(stateDir, clock);
  const engine = new Engine({
    ...world,
    looks,
    storeBytes: () => storeBytes(stateDir),
    diskRoom: () => diskRoom(stateDir),
    reread: () => reread(where, endpoints),
    passed: liveness.passed,
    giveUp: () => {
      giveUp();
    },
  });
  const found = await engine.open(kept.lastStop !== null);
  const parts = { clock, log, engine, endpoints, releases, store, kept, hangups, manager };
  const ending = endOnSignals(parts);
  giveUp = ending.giveUp;
  const handle = handleControl(engine, ending.end);
  const server = await openControl({ path: control, stateDir, handle, log });
  releases.add("control socket", () => server.close());
  await store.write([{ key: keys.node, value: JSON.stringify({ ...kept, lastStop: null }) }], true);
  manager.ready(`${site.node}: ${count(found.schedules, "schedule")}`);
  const { lastStop } = kept;
  const report = reportOf({ read, stateDir, found, endpoints, lastStop, clock });
  return { report, ended: ending.ended };
}

/** Who wants to know how the process fares, and what finds that out. */
function watchdog(clock: Clock, log: Log, releases: Releases) {
  const manager = serviceManager(clock, log);
  releases.add("service manager", () => manager.close());
  const alive = () => {
    manager.alive();
  };
  return { manager, liveness: new Liveness(clock, alive) };
}

async function opened<B extends Bus | undefined>(bus: B, releases: Releases): Promise<B> {
  if (bus === undefined) return bus;
  releases.add("bus", () => bus.close());
  await bus.open();
  return bus;
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
