/** The ways to the endpoints of a site: simulators started, addresses resolved, locks held, links made. */
import type { LookupAddress } from "node:dns";
import { EdgepollError } from "../core/errors.ts";
import { intervalsOf, type Gateway } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { Endpoint } from "../engine/opening.ts";
import { Names } from "../modbus/names.ts";
import { openTcpLink } from "../modbus/tcp-link.ts";
import { startSimulator, type Simulator } from "../simulator/tcp-server.ts";
import type { HolderInfo } from "../system/holder.ts";
import type { Lock } from "../system/locks.ts";
import { random } from "../system/random.ts";
import { lockPatiently } from "./state-lock.ts";

/** ms a name may take to resolve; after that the name itself stands for the endpoint. */
const RESOLVE = 2000;
/** Back-off of failed connects may reach the shortest interval, or this many ms. */
const LEAST_BACKOFF = 1000;

/** The endpoints of a site. */
export class Endpoints {
  readonly #clock: Clock;
  readonly #names: Names;
  readonly #holder: HolderInfo;
  readonly #byGateway = new Map<string, Endpoint>();
  readonly #byKey = new Map<string, Endpoint>();
  readonly #addresses = new Map<string, string>();
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
    for (const { gateway, host, port, key } of placed) {
      const shared = this.#byKey.get(key) ?? (await this.#make(placed, { host, port, key }));
      this.#byGateway.set(gateway.id, shared);
      this.#addresses.set(gateway.id, `${host}:${String(port)}`);
    }
  }

  /** The way to a gateway. */
  of(gateway: Gateway): Endpoint {
    const endpoint = this.#byGateway.get(gateway.id);
    if (endpoint === undefined) throw new Error(`no endpoint for ${gateway.id}`);
    return endpoint;
  }

  /** Host and port a gateway is reached at. */
  addressOf(gateway: Gateway): string {
    return this.#addresses.get(gateway.id) ?? "";
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
    const { connection } = gateway;
    if (connection.kind === "tcp") {
      const { host, port } = connection;
      const address = await resolveHost(this.#names, this.#clock, host);
      return { gateway, host, port, key: `${address}:${String(port)}` };
    }
    if (connection.kind !== "simulator") {
      throw new EdgepollError("INTERNAL", `${connection.url} was not refused at the start.`);
    }
    const host = "127.0.0.1";
    const { model } = connection;
    const seed = gateway.id;
    const simulator = await startSimulator({ host, port: 0, model, seed, clock: this.#clock });
    this.#simulators.push(simulator);
    const { port } = simulator;
    return { gateway, host, port, key: `${host}:${String(port)}` };
  }

  async #make(
    placed: readonly Placed[],
    { host, port, key }: Pick<Placed, "host" | "port" | "key">,
  ): Promise<Endpoint> {
    this.#locks.push(await lockPatiently(`endpoint:${key}`, this.#holder, this.#clock));
    const sharing = placed.filter((other) => other.key === key);
    const intervals = sharing.flatMap(({ gateway }) => intervalsOf(gateway));
    const maxBackoff = Math.max(Math.min(...intervals), LEAST_BACKOFF);
    const afterConnect = Math.max(...sharing.map((each) => each.gateway.pause?.afterConnect ?? 0));
    const options = { host, port, maxBackoff, afterConnect, names: this.#names };
    const link = openTcpLink({ ...options, clock: this.#clock, random });
    const endpoint = { key, link };
    this.#byKey.set(key, endpoint);
    return endpoint;
  }
}

interface Placed {
  readonly gateway: Gateway;
  readonly host: string;
  readonly port: number;
  readonly key: string;
}

/**
 * The address a host is known by; its name when that can't be resolved in time. Of several it is the
 * first IPv4 address by its text: name servers turn their answers round, and `localhost` is ::1 first
 * on many systems, but must share its lane and lock with 127.0.0.1.
 */
export function resolveHost(
  names: Pick<Names, "find">,
  clock: Pick<Clock, "timer">,
  host: string,
): Promise<string> {
  return new Promise<string>((resolve) => {
    const cancel = clock.timer(RESOLVE, () => {
      resolve(host.toLowerCase());
    });
    names.find(host, (_, addresses) => {
      cancel();
      const [first] = [...addresses].sort(byFamilyAndText);
      resolve(first?.address ?? host.toLowerCase());
    });
  });
}

function byFamilyAndText(a: LookupAddress, b: LookupAddress): number {
  return a.family - b.family || (a.address < b.address ? -1 : 1);
}
