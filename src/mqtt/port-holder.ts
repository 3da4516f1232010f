/** Who listens on a port of this machine, as far as Linux tells. */
import { readFile, readdir, readlink } from "node:fs/promises";

/** The process that listens on a port. */
export interface PortHolder {
  readonly pid: number;
  /** Name of the process as the kernel knows it, at most 15 characters. */
  readonly name: string;
}

/** Looking at more links than this takes longer than the answer is worth. */
const MOST_LINKS = 20_000;
const LISTENING = "0A";

/** The process that listens on `port`; undefined when that can't be read (another user, not Linux). */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  const inodes = new Set([
    ...(await listeners("/proc/net/tcp", port)),
    ...(await listeners("/proc/net/tcp6", port)),
  ]);
  return inodes.size === 0 ? undefined : ownerOf(inodes);
}

/** Inodes of the sockets of one table that listen on the port, as `/proc/<pid>/fd` shows them. */
async function listeners(table: string, port: number): Promise<string[]> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = (await readFile(table, "utf8").catch(() => "")).split("\n");
  const inodes: string[] = [];
  for (const line of lines) {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    if (state === LISTENING && local.endsWith(`:${hexPort}`)) inodes.push(`socket:[${inode}]`);
  }
  return inodes;
}

async function ownerOf(inodes: ReadonlySet<string>): Promise<PortHolder | undefined> {
  let links = 0;
  for (const pid of await entries("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await entries(`/proc/${pid}/fd`)) {
      links += 1;
      if (links > MOST_LINKS) return undefined;
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (inodes.has(target)) return { pid: Number(pid), name: await nameOf(pid) };
    }
  }
  return undefined;
}

/** Names in a directory; none when it is not ours to read or its process is gone. */
async function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function nameOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "a process")).trim();
}
