/** A file that is there whole or not at all: written beside its place, synced, and put there at the end. */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { link, open, rename, unlink, type FileHandle } from "node:fs/promises";
import { platform } from "node:os";
import { dirname, resolve } from "node:path";
import { EdgepollError, FileError, PermissionError, messageOf } from "../core/errors.ts";
import { pid } from "../system/facts.ts";

/** Characters that are written together. */
const CHUNK = 65_536;

/** See the head of this file. */
export class NewFile {
  /** As a person named it, and where that is. */
  readonly #path: string;
  readonly #place: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  readonly #replace: boolean;
  #waiting: string[] = [];
  #length = 0;

  private constructor(path: string, place: string, handle: FileHandle, replace: boolean) {
    this.#path = path;
    this.#place = place;
    this.#part = partOf(place);
    this.#handle = handle;
    this.#replace = replace;
  }

  /**
   * Begins a file (mode 0600); one that is there already is only taken over with `replace`, and a link to one stays.
   * Throws `FileError`, also when what is there is no file; `PermissionError`.
   */
  static async begin(path: string, replace: boolean): Promise<NewFile> {
    try {
      const place = placeOf(path);
      if (!replace && existsSync(place)) throw exists(path);
      const part = partOf(place);
      rmSync(part, { force: true });
      return new NewFile(path, place, await open(part, "wx", 0o600), replace);
    } catch (error) {
      throw asFileError(error, path);
    }
  }

  /** Appends text; settles when there is room for more. */
  async write(text: string): Promise<void> {
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#length >= CHUNK) await this.#flush();
  }

  /** Puts the file in its place; `head` replaces as many bytes at its beginning. */
  async finish(head = ""): Promise<void> {
    try {
      await this.#flush();
      if (head !== "") await this.#handle.write(head, 0);
      await this.#handle.sync();
      await this.#handle.close();
      if (this.#replace) await rename(this.#part, this.#place);
      else await this.#putNew();
      await syncDirectory(dirname(this.#place));
    } catch (error) {
      throw asFileError(error, this.#path);
    }
  }

  /** Leaves nothing behind; does nothing once it is finished. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    rmSync(this.#part, { force: true });
  }

  async #flush(): Promise<void> {
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#length = 0;
    try {
      if (text !== "") await this.#handle.writeFile(text);
    } catch (error) {
      throw asFileError(error, this.#path);
    }
  }

  /** A link is refused where there is a file by now; a rename would take its place. */
  async #putNew(): Promise<void> {
    try {
      await link(this.#part, this.#place);
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw exists(this.#path);
      // A file system without links, such as that of most USB sticks.
      if (existsSync(this.#place)) throw exists(this.#path);
      await rename(this.#part, this.#place);
      return;
    }
    await unlink(this.#part);
  }
}

function partOf(place: string): string {
  return `${place}.${String(pid)}.part`;
}

/** Where a path leads; only a file that is there may be replaced: a rename would put one in the place of anything. */
function placeOf(path: string): string {
  const whole = resolve(path);
  if (lstatSync(whole, { throwIfNoEntry: false }) === undefined) return whole;
  const there = statSync(whole, { throwIfNoEntry: false });
  if (there?.isFile() === true) return realpathSync(whole);
  const what =
    there === undefined
      ? "a link to what is not there"
      : there.isDirectory()
        ? "a folder; name a file in it"
        : "a device, a pipe or a socket, which a file can't replace";
  throw new FileError("FILE_FAILED", `Can't use ${path}: it is ${what}. Choose another name.`);
}

/** Finds out, before the work for it is done, whether a new file can be put there. Throws `FileError`, `PermissionError`. */
export function refuseNoPlace(path: string): void {
  const whole = resolve(path);
  if (existsSync(whole)) {
    throw new FileError("FILE_FAILED", `There is a file ${path} already. Choose another name.`);
  }
  try {
    // The dot is in a folder only: behind a file it is an error.
    accessSync(`${dirname(whole)}/.`, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw asFileError(error, path);
  }
}

/** What a failure of the file system means for a file that a person named. */
export function asFileError(error: unknown, path: string): unknown {
  if (error instanceof EdgepollError) return error;
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    const text = `May not use ${path}: ${messageOf(error)}. Choose another place, or run as the user it belongs to.`;
    return new PermissionError("PERMISSION", text, error);
  }
  if (code === undefined) return error;
  return new FileError("FILE_FAILED", `Can't use ${path}: ${whyOf(code, path, error)}.`, error);
}

function whyOf(code: unknown, path: string, error: unknown): string {
  const folder = dirname(resolve(path));
  if (code === "ENOENT")
    return existsSync(folder)
      ? "there is no such file"
      : `there is no folder ${folder}; make it first`;
  if (code === "EISDIR") return "it is a folder; name a file in it";
  if (code === "ENOTDIR") return "something on the way to it is a file";
  if (code === "ENOSPC") return "the disk is full; df shows how much is left";
  return messageOf(error);
}

function exists(path: string): FileError {
  const text = `There is a file ${path} already. Choose another name, or give --yes to replace it.`;
  return new FileError("FILE_FAILED", text);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function syncDirectory(directory: string): Promise<void> {
  if (platform() === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
