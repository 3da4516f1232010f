/**
 * What a disk keeps at a power cut: `shim-record.c`, built on the fly, records what a process syncs, and
 * the unsynced ends of its files are cut off, and pages are missing in what is left of them. Harsher than
 * most disks, but files are not mixed up.
 */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createTempDir } from "./temp-dir.ts";

const SOURCE = fileURLToPath(new URL("shim-record.c", import.meta.url));
/** Share of the cuts after which garbage stands where the unsynced end was. */
const TORN = 0.3;
/** Share of the logs with an unsynced end in which a page of it is missing. */
const HOLED = 0.5;
/** Bytes. */
const PAGE = 4096;

/** One line of the record. */
export interface Synced {
  /** CLOCK_MONOTONIC, ms. */
  readonly at: number;
  readonly deed: "sync" | "rename" | "unlink";
  /** Of a sync: bytes of the file that are on the disk. */
  readonly length: number;
  readonly path: string;
  /** Of a rename: the new path. */
  readonly other: string;
}

/** The shim, loaded into processes by their environment. */
export interface Shim {
  /** Records what happens below a directory; the record is appended to a file. */
  environment(directory: string, record: string): Record<string, string>;
}

/** Builds the shim with the system's C compiler. Throws with what the compiler said. */
export function buildShim(test: Pick<TestContext, "after">): Shim {
  const library = join(createTempDir(test), "shim-record.so");
  const args = ["-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"];
  const { status, stderr, error } = spawnSync("cc", args, { encoding: "utf8" });
  if (error !== undefined)
    throw new Error("These tests need a C compiler: apt install gcc libc6-dev.");
  if (status !== 0) throw new Error(`the shim does not compile:\n${stderr}`);
  return {
    environment: (directory, record) => {
      return { LD_PRELOAD: library, EDGEPOLL_SHIM_DIR: directory, EDGEPOLL_SHIM_LOG: record };
    },
  };
}

/** The lines of a record, oldest first; empty when nothing was synced yet. */
export function readRecord(file: string): Synced[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [at, deed, length, path = "", other = ""] = line.split("\t");
    // As shim-record.c writes them.
    return {
      at: Number(at) / 1e6,
      deed: deed as Synced["deed"],
      length: Number(length),
      path,
      other,
    };
  });
}

/** Bytes that a power cut took. */
export interface Cut {
  readonly files: number;
  readonly bytes: number;
  /** Files that end in garbage. */
  readonly torn: number;
  /** Files with zeros in the middle of what was not synced. */
  readonly holed: number;
}

/** A directory on a disk that keeps what is synced, and of the rest a random part. */
export class UnsureDisk {
  readonly #directory: string;
  readonly #random: () => number;
  /** Bytes that are on the disk, by path. */
  #kept = new Map<string, number>();

  constructor(directory: string, random: () => number) {
    this.#directory = directory;
    this.#random = random;
  }

  /** Takes up what a process that has ended did. */
  follow(record: readonly Synced[]): void {
    for (const { deed, length, path, other } of record) {
      if (deed === "sync") this.#kept.set(path, length);
      else if (deed === "unlink") this.#kept.delete(path);
      else this.#move(path, other);
    }
  }

  /** Cuts the power while no process runs: every file ends somewhere between what is synced and what was written. */
  cut(): Cut {
    const cut = { files: 0, bytes: 0, torn: 0, holed: 0 };
    for (const path of this.#files()) {
      const size = statSync(path).size;
      const synced = Math.min(size, this.#kept.get(path) ?? 0);
      const end = synced + Math.floor(this.#random() * (size - synced + 1));
      if (end < size) {
        truncateSync(path, end);
        cut.files += 1;
        cut.bytes += size - end;
        if (this.#random() < TORN) {
          appendFileSync(path, this.#garbage(size - end));
          cut.torn += 1;
        }
      }
      if (path.endsWith(".log") && synced < end && this.#random() < HOLED) {
        this.#punch(path, synced, end);
        cut.holed += 1;
      }
      this.#kept.set(path, statSync(path).size);
    }
    return cut;
  }

  /** A page that had not its turn before others: zeros are read in its place. */
  #punch(path: string, synced: number, end: number): void {
    const first = synced - (synced % PAGE);
    const pages = Math.ceil((end - first) / PAGE);
    const page = first + PAGE * Math.floor(this.#random() * pages);
    const from = Math.max(synced, page);
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(Math.min(end, page + PAGE) - from), 0, undefined, from);
    closeSync(file);
  }

  /** A file, or a directory with all that is in it. */
  #move(from: string, to: string): void {
    this.#kept.delete(to);
    const moved = [...this.#kept].map(([path, length]): [string, number] => {
      const isIn = path === from || path.startsWith(`${from}/`);
      return [isIn ? to + path.slice(from.length) : path, length];
    });
    this.#kept = new Map(moved);
  }

  #files(): string[] {
    if (!existsSync(this.#directory)) return [];
    return readdirSync(this.#directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }

  /** Up to so many bytes, random or nothing but zeros. */
  #garbage(most: number): Buffer {
    const zeros = this.#random() < 0.5;
    const bytes = Buffer.alloc(Math.ceil(this.#random() * most));
    if (zeros) return bytes;
    return bytes.map(() => Math.floor(this.#random() * 256)) as Buffer;
  }
}
