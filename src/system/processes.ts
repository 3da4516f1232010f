/** The processes that hold an endpoint, as Linux shows them in `/proc` (proc(5)). */
import { endianness } from "node:os";
import type { WatchedEndpoint } from "../core/audit.ts";
import type { EndpointHolder } from "../core/machine.ts";
import { remoteKeys, tcpConnections } from "../core/tcp-table.ts";
import type { Tree } from "./tree.ts";
import type { User } from "./users.ts";

/** Open files of a process that are looked at. */
const MOST_FILES = 4096;

/** What is looked for. */
export interface Wanted {
  readonly endpoints: readonly WatchedEndpoint[];
  /** Real paths of ttys, by the path as configured. */
  readonly ttys: ReadonlyMap<string, string>;
  /** Processes that may hold them. */
  readonly own: readonly number[];
}

interface Connection {
  readonly endpoint: WatchedEndpoint;
  readonly uid: number;
}

/** See the head of this file. */
export class Processes {
  readonly #tree: Tree;
  readonly #users: readonly User[];
  readonly #wanted: Wanted;
  readonly #remotes = new Map<string, WatchedEndpoint>();
  readonly #ttys = new Map<string, WatchedEndpoint>();
  /** By inode; those left over at the end belong to processes that could not be looked into. */
  readonly #connections = new Map<string, Connection>();
  readonly #namespaces = new Set<string>();
  readonly #holders: EndpointHolder[] = [];
  /** Users of processes that could not be looked into. */
  readonly #closed = new Map<string, number>();
  readonly unseen: string[] = [];

  constructor(tree: Tree, users: readonly User[], wanted: Wanted) {
    this.#tree = tree;
    this.#users = users;
    this.#wanted = wanted;
    for (const endpoint of wanted.endpoints) {
      const { tty, addresses = [], port = 0 } = endpoint;
      if (tty !== undefined) this.#ttys.set(wanted.ttys.get(tty) ?? tty, endpoint);
      for (const key of addresses.flatMap((address) => remoteKeys(address, port, endianness())))
        this.#remotes.set(key, endpoint);
    }
  }

  /** All processes that hold an endpoint and are none of the own. */
  async find(): Promise<EndpointHolder[]> {
    if (this.#remotes.size + this.#ttys.size === 0) return [];
    const pids = (await this.#tree.names("/proc")).filter((name) => /^\d+$/.test(name));
    if (pids.length === 0) {
      this.unseen.push("processes: there is no /proc here");
      return [];
    }
    if (!pids.includes("1")) this.unseen.push("processes of other users: /proc hides them here");
    this.#namespaces.add((await this.#tree.link("/proc/self/ns/net")) ?? "");
    await this.#connectionsOf("/proc/net");
    for (const pid of pids) {
      if (this.#tree.isLate) {
        this.unseen.push("all processes: there are too many to look at in time");
        return this.#holders;
      }
      await this.#process(Number(pid));
    }
    this.#leftOver();
    return this.#holders;
  }

  async #connectionsOf(folder: string): Promise<void> {
    for (const name of ["tcp", "tcp6"]) {
      const text = (await this.#tree.text(`${folder}/${name}`)) ?? "";
      for (const { remote, uid, inode } of tcpConnections(text)) {
        const endpoint = this.#remotes.get(remote);
        if (endpoint !== undefined) this.#connections.set(inode, { endpoint, uid });
      }
    }
  }

  async #process(pid: number): Promise<void> {
    const folder = `/proc/${String(pid)}`;
    // The kernel's own threads have no command line and no files.
    const command = ((await this.#tree.text(`${folder}/cmdline`)) ?? "")
      .replaceAll("\0", " ")
      .trim();
    if (command === "") return;
    await this.#namespaceOf(folder);
    const files = await this.#tree.names(`${folder}/fd`);
    if (files.length === 0 && this.#tree.refused.has(`${folder}/fd`)) {
      const user = await this.#userOf(folder);
      this.#closed.set(user, (this.#closed.get(user) ?? 0) + 1);
      return;
    }
    const held = new Set<WatchedEndpoint>();
    for (const file of files.slice(0, MOST_FILES)) {
      const endpoint = this.#endpointOf((await this.#tree.link(`${folder}/fd/${file}`)) ?? "");
      if (endpoint !== undefined) held.add(endpoint);
    }
    if (held.size === 0 || this.#wanted.own.includes(pid)) return;
    const user = await this.#userOf(folder);
    for (const endpoint of held) this.#holders.push({ endpoint, pid, user, command });
  }

  /** Containers have a network, and so a table, of their own. */
  async #namespaceOf(folder: string): Promise<void> {
    const namespace = await this.#tree.link(`${folder}/ns/net`);
    if (namespace === undefined || this.#namespaces.has(namespace)) return;
    this.#namespaces.add(namespace);
    await this.#connectionsOf(`${folder}/net`);
  }

  #endpointOf(link: string): WatchedEndpoint | undefined {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(link) ?? [];
    if (inode === undefined) return this.#ttys.get(link);
    const connection = this.#connections.get(inode);
    this.#connections.delete(inode);
    return connection?.endpoint;
  }

  /** What belongs to processes that could not be looked into. */
  #leftOver(): void {
    if (this.#closed.size === 0) return;
    for (const { endpoint, uid } of this.#connections.values()) {
      const user = this.#nameOf(uid);
      this.#holders.push({ endpoint, pid: null, user, command: "" });
    }
    if (this.#ttys.size === 0) return;
    const whose = [...this.#closed].map(([user, count]) => `${String(count)} of ${user}`);
    this.unseen.push(`open files of processes (${whose.join(", ")}): that takes root's rights`);
  }

  async #userOf(folder: string): Promise<string> {
    const uid = await this.#tree.owner(folder);
    return uid === undefined ? "an unknown user" : this.#nameOf(uid);
  }

  #nameOf(uid: number): string {
    return this.#users.find((user) => user.uid === uid)?.name ?? `user ${String(uid)}`;
  }
}
