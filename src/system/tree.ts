/** Reads files of the system below a root that a test may choose. What can't be read for lack of rights is noted. */
import { readFile, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/ports.ts";

/** Bytes of a file that are looked at. */
const LONGEST = 1024 * 1024;

/** What is read of a directory tree; every answer is undefined or empty where there is nothing to read. */
export class Tree {
  readonly #root: string;
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #until: number;
  /** Paths that may not be read. */
  readonly refused = new Set<string>();

  /** `patience` in ms: how long may be read. */
  constructor(root: string, clock: Pick<Clock, "elapsed">, patience: number) {
    this.#root = root;
    this.#clock = clock;
    this.#until = clock.elapsed() + patience;
  }

  /** Whether the time is up. */
  get isLate(): boolean {
    return this.#clock.elapsed() > this.#until;
  }

  /** The text of a file. */
  async text(path: string): Promise<string | undefined> {
    return this.#noting(path, async () => {
      const at = this.#at(path);
      const { size } = await stat(at);
      return size > LONGEST ? undefined : readFile(at, "utf8");
    });
  }

  /** The names in a directory, sorted. */
  async names(path: string): Promise<string[]> {
    const found = await this.#noting(path, () => readdir(this.#at(path)));
    return (found ?? []).sort();
  }

  /** What a link says. */
  async link(path: string): Promise<string | undefined> {
    return this.#noting(path, () => readlink(this.#at(path)));
  }

  /** The id of the user that a file belongs to. */
  async owner(path: string): Promise<number | undefined> {
    return this.#noting(path, async () => (await stat(this.#at(path))).uid);
  }

  #at(path: string): string {
    return join(this.#root, path);
  }

  async #noting<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EACCES" || code === "EPERM") this.refused.add(path);
      return undefined;
    }
  }
}
