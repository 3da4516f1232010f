/** The control socket of a node: one request a connection, a JSON line each way. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  EdgepollError,
  LockedError,
  PermissionError,
  StateDirectoryError,
  messageOf,
} from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { shellWord } from "../core/shell.ts";
import { isAnswered } from "./probe.ts";
import { answerTo, type AnswerText, type Handle } from "./protocol.ts";

const MOST_CONNECTIONS = 16;
/** Bytes of a request. */
const LONGEST_REQUEST = 64 * 1024;
/** ms a connection may say nothing. */
const IDLE = 10_000;
/** ms a reader may take nothing of an answer of many lines. */
const STALLED = 60_000;
/** ms an answer may take once the server closes. */
const LAST_WORDS = 1000;

/** What a control socket needs. */
export interface ControlOptions {
  readonly path: string;
  /** Whose node it is, for the line to paste when another one answers there. */
  readonly stateDir: string;
  /** Does what a verb says; what it throws is the answer. */
  readonly handle: Handle;
  readonly log: Log;
}

/**
 * Listens for commands of this user (mode 0600).
 * Throws `LockedError` when another node listens there, `PermissionError`, `StateDirectoryError`.
 */
export async function openControl(options: ControlOptions): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  /** Ends the answers of many lines that are on their way. */
  const closing = new AbortController();
  // A client may end its side once it has asked.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, options, closing.signal);
  });
  server.maxConnections = MOST_CONNECTIONS;
  const remove = await listenAt(server, options);
  server.on("error", (error) => {
    options.log.warn({ error }, "the control socket failed");
  });
  return {
    close: () =>
      new Promise((resolve) => {
        remove();
        closing.abort();
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) {
          if (socket.isPaused()) socket.setTimeout(LAST_WORDS);
          else socket.destroy();
        }
      }),
  };
}

/** Reads one line; from then on the socket is paused, which also marks it as owed an answer. */
function serve(socket: Socket, options: ControlOptions, closing: AbortSignal): void {
  const parts: Buffer[] = [];
  let length = 0;
  const answer = async (line: string | undefined): Promise<void> => {
    socket.removeAllListeners("data").pause();
    // How long a command may take is the command's affair.
    socket.setTimeout(0);
    const text = await answerTo(line, options.handle, options.log);
    socket.setTimeout(text.more === undefined ? IDLE : STALLED);
    await pour(text, socket, closing);
  };
  socket.on("error", () => socket.destroy());
  socket.on("timeout", () => socket.destroy());
  socket.on("end", () => {
    if (!socket.isPaused()) socket.destroy();
  });
  socket.on("data", (part: Buffer) => {
    parts.push(part);
    length += part.length;
    if (length > LONGEST_REQUEST) void answer(undefined);
    else if (part.includes("\n")) void answer(Buffer.concat(parts).toString().split("\n")[0]);
  });
  socket.setTimeout(IDLE);
}

/** Writes an answer as fast as it is read; one whose reader goes, or whose node ends, is cut off. */
async function pour({ line, more }: AnswerText, socket: Socket, signal: AbortSignal) {
  if (more === undefined) {
    socket.end(line, () => socket.destroy());
    return;
  }
  socket.write(line);
  // What goes wrong closes the socket: who reads sees that the last line is missing.
  await pipeline(Readable.from(more), socket, { signal }).catch(() => undefined);
  socket.destroy();
}

/** Listens such that nobody else can connect at any moment; the returned function removes the socket. */
async function listenAt(server: Server, { path, stateDir }: ControlOptions): Promise<() => void> {
  if (path.startsWith("\\\\.\\pipe\\")) {
    await listen(server, path);
    return () => undefined;
  }
  try {
    makeDirectory(dirname(path));
    await refuseIfTaken(path, stateDir);
    // Made in a directory of its own that is closed to others, and moved once its mode is right.
    const closed = mkdtempSync(join(dirname(path), ".c-"));
    try {
      const fresh = join(closed, "s");
      await listen(server, fresh);
      chmodSync(fresh, 0o600);
      renameSync(fresh, path);
    } finally {
      rmSync(closed, { recursive: true, force: true });
    }
    const own = lstatSync(path).ino;
    return () => {
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === own) rmSync(path, { force: true });
    };
  } catch (error) {
    server.close();
    throw asControlError(error, path);
  }
}

/** One step: `recursive` of Node tries for ever where nothing can be made, such as below /proc. */
function makeDirectory(directory: string): void {
  try {
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it in between.
    if (!existsSync(directory)) throw error;
  }
}

async function refuseIfTaken(path: string, stateDir: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) {
    const text = `${path} is in the way of the control socket. Remove it and start again.`;
    throw new StateDirectoryError("STATE_DIRECTORY", text);
  }
  if (await isAnswered(path)) {
    const where = ` --state-dir ${shellWord(stateDir)}`;
    const text =
      `Another node answers at ${path}. ` +
      `edgepoll status${where} shows it; edgepoll stop --node${where} ends it.`;
    throw new LockedError("ALREADY_RUNNING", text);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function asControlError(error: unknown, path: string): EdgepollError {
  if (error instanceof EdgepollError) return error;
  const text = `Can't make the control socket ${path}: ${messageOf(error)}.`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EACCES" || code === "EPERM"
    ? new PermissionError(
        "PERMISSION",
        `${text} Set XDG_RUNTIME_DIR to a directory of yours.`,
        error,
      )
    : new StateDirectoryError("STATE_DIRECTORY", text, error);
}
