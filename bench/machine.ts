/** Where the numbers were taken. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Machine and versions, as they stand in the JSON. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly mosquitto: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly commit: string;
  /** The core of the pollers; undefined when there is only one for all. */
  readonly pollerCore: number | undefined;
  readonly fileSystem: string;
}

const POLLER_CORE = 1;

/** File systems by the magic number of statfs(2). */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0xf2f52010: "f2fs",
  0x794c7630: "overlay",
  0x2fc12fc1: "zfs",
  0x01021994: "tmpfs",
};

/** Looks at the machine and the file system of a directory. */
export function lookAtMachine(directory: string): Machine {
  const { type } = statfsSync(directory);
  const fileSystem = FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`;
  const cores = availableParallelism();
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    mosquitto: mosquittoVersion(),
    packages: versionsOf(["modbus-serial", "mqtt", "level"]),
    commit: commitNow(),
    pollerCore: cores > 1 ? POLLER_CORE : undefined,
    fileSystem,
  };
}

/** Moves this process, and with it those it starts from now on, away from the core of the pollers. */
export function leavePollerCore({ pollerCore }: Machine): void {
  if (pollerCore === undefined) return;
  const others = cpus()
    .map((_, core) => core)
    .filter((core) => core !== pollerCore);
  execFileSync("taskset", ["-a", "-c", "-p", others.join(","), String(process.pid)], {
    stdio: "ignore",
  });
}

function mosquittoVersion(): string {
  // Its help goes with an exit code of its own.
  const { stdout } = spawnSync("mosquitto_sub", ["--help"], { encoding: "utf8" });
  return /version (\S+)/.exec(stdout)?.[1] ?? "unknown";
}

function versionsOf(names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => {
    const text = readFileSync(`${ROOT}node_modules/${name}/package.json`, "utf8");
    // Every package.json has it.
    return [name, (JSON.parse(text) as { version: string }).version];
  });
  // Made of pairs of texts just now.
  return Object.fromEntries(entries) as Record<string, string>;
}

/** With a + when there are changes that are not committed; empty outside of a repository. */
function commitNow(): string {
  const git = (...args: string[]): string =>
    spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout.trim();
  const changed = git("status", "--porcelain", "--", "src", "bench", "package-lock.json");
  return git("rev-parse", "--short=12", "HEAD") + (changed === "" ? "" : "+");
}
