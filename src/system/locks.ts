/** Locks that the kernel frees when their holder is gone, however it ended: abstract Unix sockets (Linux). */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { platform } from "node:os";
import { LockedError, StateDirectoryError, messageOf } from "../core/errors.ts";
import { shellWord } from "../core/shell.ts";
import { type HolderInfo, askSocket } from "./holder.ts";
import { printable } from "./printable.ts";

/** Who asks at a time; each is answered at once. */
const MOST_ASKING = 128;

/** A lock held. */
export interface Lock {
  /** Whether it keeps others out; false where there are no abstract sockets. */
  readonly effective: boolean;
  release(): Promise<void>;
}

/**
 * Takes a lock: `state:<real path>` or `endpoint:<host>:<port>`; whoever asks is told `holder`.
 * Throws `LockedError` (ALREADY_RUNNING, ENDPOINT_HELD) when it is held. It holds within one network namespace.
 */
export async function takeLock(name: string, holder: HolderInfo): Promise<Lock> {
  if (platform() !== "linux") return { effective: false, release: () => Promise.resolve() };
  const path = pathOf(name);
  const server = await listen(path, holder);
  if (server) return { effective: true, release: () => close(server) };
  const other = await askSocket(path);
  // Between the two the holder may have gone.
  const second = other ? undefined : await listen(path, holder);
  if (second) return { effective: true, release: () => close(second) };
  throw heldBy(name, other);
}

/** Who holds a lock; undefined when nobody does or the holder does not answer within three seconds. */
export async function askHolder(name: string): Promise<HolderInfo | undefined> {
  return platform() === "linux" ? askSocket(pathOf(name)) : undefined;
}

function pathOf(name: string): string {
  return `\0edgepoll-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

/** A listening server, undefined when the name is taken. */
async function listen(path: string, holder: HolderInfo): Promise<Server | undefined> {
  const line = `${JSON.stringify(holder)}\n`;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.setTimeout(1000, () => socket.destroy());
    socket.end(line, () => socket.destroy());
  });
  server.maxConnections = MOST_ASKING;
  server.unref();
  try {
    const listening = once(server, "listening");
    server.listen({ path, exclusive: true });
    await listening;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined;
    const text = `Can't take a lock socket: ${messageOf(error)}`;
    throw new StateDirectoryError("STATE_DIRECTORY", text, error);
  }
  server.on("error", () => undefined);
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/** The error for a lock that somebody holds, undefined when it does not say who it is. */
export function heldBy(name: string, holder: HolderInfo | undefined): LockedError {
  const [kind = "", thing = ""] = name.match(/^(\w+):(.*)$/)?.slice(1) ?? [];
  const who = holder
    ? `edgepoll ${printable(holder.node)} (pid ${String(holder.pid)})`
    : "Another process, which does not say who it is,";
  // A command, which has no control socket.
  if (kind === "endpoint" && holder?.control === "") {
    const command = `${printable(holder.node)} (pid ${String(holder.pid)})`;
    const text = `${command} works at ${thing}. Wait for its end, or end it: kill ${String(holder.pid)}`;
    return new LockedError("ENDPOINT_HELD", text);
  }
  if (kind === "endpoint") {
    const where = holder ? stateOption(holder.stateDir) : "";
    return new LockedError(
      "ENDPOINT_HELD",
      `${who} polls ${thing} already. ` +
        `edgepoll status${where} shows it; edgepoll stop --node${where} ends it.`,
    );
  }
  const where = stateOption(thing);
  return new LockedError(
    "ALREADY_RUNNING",
    `${who} holds the state directory ${thing}. ` +
      `edgepoll status${where} shows it; edgepoll stop --node${where} ends it.`,
  );
}

function stateOption(directory: string): string {
  return ` --state-dir ${printable(shellWord(directory))}`;
}
