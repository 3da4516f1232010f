/** Text from a file, read whole, without waiting and without trusting its size. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** A file is larger than it may be. */
export class TooLargeError extends Error {}

/** The text of a regular file. Throws an error whose message continues the name of the file. */
export function readText(path: string, mostBytes: number): string {
  const bytes = readBytes(path, mostBytes);
  if (bytes.length > mostBytes) {
    throw new TooLargeError(`is larger than ${String(mostBytes / 1024)} KiB`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("is not UTF-8 text");
  }
}

/** At most one byte more than `mostBytes`, so that a file without end is noticed. */
function readBytes(path: string, mostBytes: number): Uint8Array {
  const handle = open(path);
  try {
    if (!fstatSync(handle).isFile()) throw new Error("is not a regular file");
    const bytes = new Uint8Array(mostBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0; length += read) {
      read = readSync(handle, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(handle);
  }
}

/** Without waiting: a pipe that nobody writes to would hold the start up. */
function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: "does not exist",
      EACCES: "can't be read: permission denied",
    };
    throw Object.assign(new Error(reasons[code] ?? `can't be opened (${code})`), { code });
  }
}

/** The code of a system error, empty for any other. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
