/** Where things lie: configuration, state directory, control socket. */
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, posix, resolve } from "node:path";
import {
  ConfigError,
  type EdgepollError,
  PermissionError,
  StateDirectoryError,
  messageOf,
} from "../core/errors.ts";
import { type Surroundings, surroundings } from "./surroundings.ts";

/** Bytes a socket's path may have: 107 on Linux, 103 on the BSDs and macOS. */
const SOCKET_PATH_LIMIT = { linux: 107, other: 103 };

/** The configuration file to use. Throws `ConfigError` CONFIG_MISSING, which names all places looked at. */
export function findConfig(explicit?: string, around: Surroundings = surroundings()): string {
  const named = explicit ?? setting(around, "EDGEPOLL_CONFIG");
  const places = named === undefined ? usualPlaces(around) : [named];
  const paths = places.map((place) => resolve(around.cwd, place));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  const by = explicit === undefined ? "EDGEPOLL_CONFIG" : "the command line";
  const text =
    named === undefined
      ? `There is no configuration file. Looked at: ${paths.join(", ")}. Name one with --config FILE or EDGEPOLL_CONFIG.`
      : `There is no ${paths.join()}, which ${by} names as the configuration.`;
  throw new ConfigError("CONFIG_MISSING", text);
}

/** The state directory where the configuration names none. */
export function defaultStateDir(around: Surroundings = surroundings()): string {
  const given = firstOf(setting(around, "STATE_DIRECTORY"));
  if (given !== undefined) return given;
  if (around.root) return "/var/lib/edgepoll";
  const base = absoluteSetting(around, "XDG_STATE_HOME") ?? resolve(around.home, ".local/state");
  return resolve(base, "edgepoll");
}

/** The control socket of a state directory, by its real path. Throws `StateDirectoryError` when too long. */
export function controlSocketPath(stateDir: string, around: Surroundings = surroundings()): string {
  const hash = createHash("sha256").update(stateDir).digest("hex").slice(0, 16);
  if (around.platform === "win32") return `\\\\.\\pipe\\edgepoll-${hash}`;
  const path = posix.join(runtimeDir(around) ?? stateDir, `${hash}.sock`);
  const limit = SOCKET_PATH_LIMIT[around.platform === "linux" ? "linux" : "other"];
  if (Buffer.byteLength(path) <= limit) return path;
  throw new StateDirectoryError(
    "STATE_DIRECTORY",
    `The control socket ${path} would have more than the ${String(limit)} bytes a socket's path may ` +
      "have. Use a state directory with a shorter path, or set XDG_RUNTIME_DIR.",
  );
}

/** Makes a state directory (mode 0700) if need be; its real path. Throws `StateDirectoryError`, `PermissionError`. */
export function ensureStateDir(directory: string): string {
  try {
    makeDirectory(directory);
    const path = realpathSync(directory);
    if (!statSync(path).isDirectory()) throw unusable(directory, "it is not a directory");
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return path;
  } catch (error) {
    throw stateDirError(directory, error);
  }
}

/** Whether a directory is this user's: whoever else opens a database there, root included, leaves files its owner can't use. */
export function isOwn(directory: string): boolean {
  const user = process.getuid?.();
  return user === undefined || statSync(directory).uid === user;
}

/** Step by step: `recursive` of Node tries for ever where nothing can be made, such as below /proc. */
function makeDirectory(directory: string): void {
  const missing: string[] = [];
  for (let at = resolve(directory); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const step of missing) {
    try {
      mkdirSync(step, { mode: 0o700 });
    } catch (error) {
      // Another process may have made it in between.
      if (!existsSync(step)) throw error;
    }
  }
}

function usualPlaces(around: Surroundings): string[] {
  const config = absoluteSetting(around, "XDG_CONFIG_HOME") ?? resolve(around.home, ".config");
  return [
    "edgepoll.yaml",
    "config/edgepoll.yaml",
    resolve(config, "edgepoll/edgepoll.yaml"),
    "/etc/edgepoll/edgepoll.yaml",
  ];
}

/** Where what lives as long as this boot lies, for this user; undefined where there is no such place. */
export function runtimeDir(around: Surroundings = surroundings()): string | undefined {
  const given = firstOf(setting(around, "RUNTIME_DIRECTORY"));
  if (given !== undefined) return given;
  if (around.root) return "/run/edgepoll";
  const user = absoluteSetting(around, "XDG_RUNTIME_DIR");
  return user === undefined ? undefined : posix.join(user, "edgepoll");
}

/** A variable that is set to nothing counts as not set. */
function setting(around: Surroundings, name: string): string | undefined {
  const value = around.env[name];
  return value === "" ? undefined : value;
}

/** The XDG Base Directory Specification has relative paths ignored. */
function absoluteSetting(around: Surroundings, name: string): string | undefined {
  const value = setting(around, name);
  return value !== undefined && posix.isAbsolute(value) ? value : undefined;
}

/** systemd lists several directories with colons between. */
function firstOf(list: string | undefined): string | undefined {
  return list?.split(":")[0];
}

function stateDirError(directory: string, error: unknown): EdgepollError {
  if (error instanceof StateDirectoryError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EPERM") {
    return new PermissionError(
      "PERMISSION",
      `May not use the state directory ${directory}. Run edgepoll as the user it belongs to, ` +
        "or give another with --state-dir.",
      error,
    );
  }
  if (code === "EEXIST" || code === "ENOTDIR") {
    return unusable(directory, "it, or something on the way to it, is not a directory", error);
  }
  if (code === "ENOENT") return unusable(directory, "it can't be made in this place", error);
  return unusable(directory, messageOf(error), error);
}

function unusable(directory: string, why: string, cause?: unknown): StateDirectoryError {
  return new StateDirectoryError(
    "STATE_DIRECTORY",
    `Can't use the state directory ${directory}: ${why}. Give another with --state-dir.`,
    cause,
  );
}
