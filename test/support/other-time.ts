/** Another time for a process: its wall clock by libfaketime, another boot and uptime by namespaces. */
import { readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where Debian has libfaketime, by architecture. */
const LIBRARIES = "/usr/lib";

/** The wall clock of the processes that are started with `env`. */
export class OtherClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;
  #offset = 0;

  /** Lays its file into a directory. */
  constructor(directory: string) {
    this.#file = join(directory, "wall-clock");
    this.set(0);
    this.env = {
      LD_PRELOAD: libraryPath(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // Looked at each time, so that a running process follows.
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
  }

  /** What the clock shows now, ms. */
  now(): number {
    return Date.now() + this.#offset;
  }

  /** Sets the clock to `offset` ms (whole seconds) after the machine's. */
  set(offset: number): void {
    this.#offset = offset;
    const seconds = offset / 1000;
    writeFileSync(`${this.#file}.new`, `${seconds < 0 ? "" : "+"}${String(seconds)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** Sets the clock to a time, ms since 1970, to the second. */
  setTo(time: number): void {
    this.set(Math.round((time - Date.now()) / 1000) * 1000);
  }
}

/** The words before a program that let it run in another boot of the machine; its id goes into a file in `directory`. */
export function inOtherBoot(directory: string, id: string): readonly string[] {
  const file = join(directory, "boot-id");
  writeFileSync(file, `${id}\n`);
  const steps = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
  return ["unshare", asRoot("m"), "sh", "-c", steps, file];
}

/** The words before a program for which the machine has been up longer, by whole seconds of sleep. */
export function withUptimeAhead(seconds: number): readonly string[] {
  return ["unshare", asRoot("T"), "--boottime", String(seconds)];
}

/** Root inside, whoever starts it. */
function asRoot(namespace: string): string {
  return process.getuid?.() === 0 ? `-${namespace}` : `-r${namespace}`;
}

function libraryPath(): string {
  const found = readdirSync(LIBRARIES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(LIBRARIES, name, "faketime"))
    .find((folder) => isThere(folder));
  if (found === undefined) throw new Error("libfaketime is not installed (apt: libfaketime)");
  return join(found, "libfaketimeMT.so.1");
}

function isThere(folder: string): boolean {
  try {
    return readdirSync(folder).includes("libfaketimeMT.so.1");
  } catch {
    return false;
  }
}
