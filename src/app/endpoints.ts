/** The ways to the endpoints of a site: simulators started, addresses resolved, locks held, links made. */
import { ConfigError } from "../core/errors.ts";
import { intervalsOf, type Gateway } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { Endpoint } from "../engine/opening.ts";
import { Names } from "../modbus/names.ts";
import { startSimulator, type Simulator } from "../simulator/tcp-server.ts";
import type { HolderInfo } from "../system/holder.ts";
import type { Lock } from "../system/locks.ts";
import { endpointKey } from "./endpoint-key.ts";
import { openLink, type Reachable } from "./links.ts";
import { lockPatiently } from "./state-lock.ts";

/** Back-off of failed connects may reach the shortest interval, or this many ms. */
const LEAST_BACKOFF = 1000;

/** The endpoints of a site. */
export class Endpoints {
  readonly #clock: Clock;
  readonly #names: Names;
  readonly #holder: HolderInfo;
  readonly #byGateway = new Map<string, Endpoint>();
  readonly #byKey = new Map<string, Endpoint>();
  readonly #simulators: Simulator[] = [];
  readonly #locks: Lock[] = [];

  constructor(clock: Clock, holder: HolderInfo) {
    this.#clock = clock;
    this.#names = new Names(clock);
    this.#holder = holder;
  }

  /** Makes the way to every gateway. Throws `LockedError` when another process holds an endpoint. */
  async open(gateways: readonly Gateway[]): Promise<void> {
    const placed = await Promise.all(gateways.map((gateway) => this.#place(gateway)));
    for (const each of placed) {
      const shared = this.#byKey.get(each.key) ?? (await this.#make(each, placed));
      this.#byGateway.set(each.gateway.id, shared);
    }
  }

  /** The way to a gateway. */
  of(gateway: Gateway): Endpoint {
    const endpoint = this.#byGateway.get(gateway.id);
    if (endpoint === undefined) throw new Error(`no endpoint for ${gateway.id}`);
    return endpoint;
  }

  /** Ends requests in flight and frees all connections. */
  async hangUp(): Promise<void> {
    await Promise.all([...this.#byKey.values()].map(({ link }) => link.close()));
  }

  /** Ends simulators and gives the locks back. */
  async close(): Promise<void> {
    await this.hangUp();
    await Promise.all(this.#simulators.map((simulator) => simulator.close()));
    await Promise.all(this.#locks.map((lock) => lock.release()));
  }

  async #place(gateway: Gateway): Promise<Placed> {
    const connection = await this.#reachable(gateway);
    const key = await endpointKey(connection, this.#names, this.#clock);
    return { gateway, connection, key };
  }

  async #reachable({ id, connection }: Gateway): Promise<Reachable> {
    if (connection.kind !== "simulator") return connection;
    const host = "127.0.0.1";
    const { model } = connection;
    const clock = this.#clock;
    const simulator = await startSimulator({ host, port: 0, model, seed: id, clock });
    this.#simulators.push(simulator);
    const { port } = simulator;
    return { kind: "tcp", url: `tcp://${host}:${String(port)}`, host, port };
  }

  async #make({ gateway, connection, key }: Placed, all: readonly Placed[]): Promise<Endpoint> {
    const sharing = all.filter((other) => other.key === key);
    for (const other of sharing) agree(gateway, connection, other);
    this.#locks.push(await lockPatiently(`endpoint:${key}`, this.#holder, this.#clock));
    const intervals = sharing.flatMap((other) => intervalsOf(other.gateway));
    const { tls, maxAnswerTime } = gateway;
    const link = openLink(connection, {
      clock: this.#clock,
      names: this.#names,
      maxBackoff: Math.max(Math.min(...intervals), LEAST_BACKOFF),
      afterConnect: Math.max(...sharing.map((other) => other.gateway.pause?.afterConnect ?? 0)),
      tls,
      maxAnswerTime,
    });
    const endpoint = { key, link };
    this.#byKey.set(key, endpoint);
    return endpoint;
  }
}

interface Placed {
  readonly gateway: Gateway;
  readonly connection: Reachable;
  readonly key: string;
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
