/** The ways to the endpoints of a site: simulators started, addresses resolved, locks held, links made. */
import { ConfigError } from "../core/errors.ts";
import { intervalsOf, type Gateway } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import { sameGateway } from "../core/site-change.ts";
import type { Endpoint } from "../engine/opening.ts";
import type { ConnectingLink } from "../modbus/connecting-link.ts";
import { Names } from "../modbus/names.ts";
import { modelDevice } from "../simulator/models.ts";
import { startSimulator, type Simulator } from "../simulator/tcp-server.ts";
import { anyUnit } from "../simulator/units.ts";
import type { HolderInfo } from "../system/holder.ts";
import { endpointKey } from "./endpoint-key.ts";
import { lockEndpoint, type EndpointLock } from "./endpoint-lock.ts";
import { openLink, type Reachable } from "./links.ts";

/** Back-off of failed connects may reach the shortest interval, or this many ms. */
const LEAST_BACKOFF = 1000;

/** What stands behind an endpoint: held by the node as long as a gateway names it. */
interface Way {
  readonly endpoint: Endpoint;
  readonly link: ConnectingLink;
  readonly lock: EndpointLock;
}

/** All ways of one configuration. */
class Ways {
  readonly placed = new Map<string, Placed>();
  readonly byKey = new Map<string, Way>();

  /** Closes links, locks and simulators that other ways do not have. */
  async freeBut(others: Ways): Promise<void> {
    for (const [key, { endpoint, link, lock }] of this.byKey) {
      const other = others.byKey.get(key);
      if (other?.endpoint !== endpoint) await link.close();
      if (other?.lock !== lock) await lock.release(link.isSilent);
    }
    const kept = new Set([...others.placed.values()].map(({ simulator }) => simulator));
    for (const { simulator } of this.placed.values()) {
      if (!kept.has(simulator)) await simulator?.close();
    }
  }
}

/** The ways of a configuration that may come to be used. */
export interface Staged {
  /** From now on they are those that are given. */
  use(): void;
  /** Frees what only the configuration before needed. */
  settle(): Promise<void>;
  /** Frees what only this configuration needs. */
  drop(): Promise<void>;
}

/** The endpoints of a site. */
export class Endpoints {
  readonly #clock: Clock;
  readonly #names: Names;
  readonly #holder: HolderInfo;
  #ways = new Ways();

  constructor(clock: Clock, holder: HolderInfo) {
    this.#clock = clock;
    this.#names = new Names(clock);
    this.#holder = holder;
  }

  /** Makes the way to every gateway. Throws `LockedError` when another process holds an endpoint. */
  async open(gateways: readonly Gateway[]): Promise<void> {
    (await this.stage(gateways)).use();
  }

  /** Makes the ways that are not there yet; none is used so far. Throws as `open`: then nothing was made. */
  async stage(gateways: readonly Gateway[]): Promise<Staged> {
    const before = this.#ways;
    const ways = new Ways();
    const drop = () => ways.freeBut(before);
    try {
      const places = gateways.map(async (gateway) => {
        ways.placed.set(gateway.id, await this.#place(gateway));
      });
      await Promise.all(places);
      for (const each of ways.placed.values()) {
        if (!ways.byKey.has(each.key)) ways.byKey.set(each.key, await this.#way(each, ways));
      }
    } catch (error) {
      await drop();
      throw error;
    }
    const use = () => {
      this.#ways = ways;
    };
    return { use, drop, settle: () => before.freeBut(ways) };
  }

  /** The way to a gateway. */
  of(gateway: Gateway): Endpoint {
    const way = this.#ways.byKey.get(this.#ways.placed.get(gateway.id)?.key ?? "");
    if (way === undefined) throw new Error(`no endpoint for ${gateway.id}`);
    return way.endpoint;
  }

  /** Ends requests in flight and frees all connections. */
  async hangUp(): Promise<void> {
    const ways = [...this.#ways.byKey.values()];
    await Promise.all(ways.map(({ endpoint }) => endpoint.link.close()));
  }

  /** Ends simulators and gives the locks back. */
  async close(): Promise<void> {
    await this.hangUp();
    await this.#ways.freeBut(new Ways());
  }

  async #place(gateway: Gateway): Promise<Placed> {
    const before = this.#ways.placed.get(gateway.id);
    // A name that is resolved otherwise by now keeps its lane, as long as it is configured so.
    if (before?.gateway.connection.url === gateway.connection.url) return { ...before, gateway };
    const { connection } = gateway;
    if (connection.kind !== "simulator") return this.#placeAt(gateway, connection);
    const host = "127.0.0.1";
    const clock = this.#clock;
    const units = anyUnit(modelDevice(connection.model, gateway.id), () => clock.elapsed() / 1000);
    const simulator = await startSimulator({ host, port: 0, units, clock });
    const { port } = simulator;
    const url = `tcp://${host}:${String(port)}`;
    return { ...(await this.#placeAt(gateway, { kind: "tcp", url, host, port })), simulator };
  }

  async #placeAt(gateway: Gateway, connection: Reachable): Promise<Placed> {
    const key = await endpointKey(connection, this.#names, this.#clock);
    return { gateway, connection, key };
  }

  /** The way there is, as long as a gateway goes it unchanged; else a link of its own, under the same lock. */
  async #way(placed: Placed, { placed: all }: Ways): Promise<Way> {
    const { gateway, connection, key } = placed;
    const sharing = [...all.values()].filter((other) => other.key === key);
    for (const other of sharing) agree(gateway, connection, other);
    const before = this.#ways.byKey.get(key);
    const goesOn = sharing.some((each) => isSame(this.#ways.placed.get(each.gateway.id), each));
    if (before !== undefined && goesOn) return before;
    const lock = before?.lock ?? (await lockEndpoint(placed, this.#holder, this.#clock));
    // A read that a person asked for may be under way on the link before.
    const link = this.#link(placed, sharing, before === undefined && lock.isSilent);
    return { endpoint: { key, link }, link, lock };
  }

  #link(
    { gateway, connection }: Placed,
    sharing: readonly Placed[],
    isSilent: boolean,
  ): ConnectingLink {
    const intervals = sharing.flatMap((other) => intervalsOf(other.gateway));
    const { tls, maxAnswerTime } = gateway;
    return openLink(connection, {
      clock: this.#clock,
      names: this.#names,
      maxBackoff: Math.max(Math.min(...intervals), LEAST_BACKOFF),
      afterConnect: Math.max(...sharing.map((other) => other.gateway.pause?.afterConnect ?? 0)),
      tls,
      maxAnswerTime,
      isSilent,
    });
  }
}

/** Whether a gateway is configured as it was, so that a reload does not touch it. */
function isSame(before: Placed | undefined, now: Placed): boolean {
  return before !== undefined && sameGateway(before.gateway, now.gateway);
}

interface Placed {
  readonly gateway: Gateway;
  readonly connection: Reachable;
  readonly key: string;
  readonly simulator?: Simulator;
}

/** Two names of one endpoint are found out here; what is said under one name was checked before. */
function agree(gateway: Gateway, connection: Reachable, other: Placed): void {
  if (spoken(connection) === spoken(other.connection)) return;
  throw new ConfigError(
    "CONFIG_INVALID",
    `Gateways ${gateway.id} (${connection.url}) and ${other.gateway.id} (${other.connection.url}) ` +
      `are one endpoint, ${other.key}, and speak differently. Give both the same settings.`,
  );
}

function spoken(connection: Reachable): string {
  if (connection.kind !== "serial") return connection.kind;
  const { baud, parity, stopBits } = connection;
  return [baud, parity, stopBits].join(" ");
}
