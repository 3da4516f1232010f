/** The way into the configuration: a file in, a resolved site out. */
import { ConfigError } from "../core/errors.ts";
import type { Site } from "../core/model.ts";

/** An environment variable by name, undefined if it is not set. */
export type Environment = (name: string) => string | undefined;

/** What the configuration falls back on when the file does not say. */
export interface Host {
  readonly hostName: string;
  /** Absolute path of the state directory when the file names none. */
  readonly defaultStateDir: () => string;
}

/** A configuration that holds, and what is odd about it. */
export interface Loaded {
  readonly site: Site;
  /** One line each, beginning with file:line:column. */
  readonly warnings: readonly string[];
}

/** Reads, checks and resolves a configuration file. Throws `ConfigError` with every mistake it has. */
export function loadConfig(path: string, _env: Environment, _host: Host): Loaded {
  throw new ConfigError("CONFIG_UNREADABLE", `${path}: can't be read yet`);
}

/** Absolute path of the state directory; other mistakes of the file are ignored. Throws `ConfigError`. */
export function readStateDir(path: string, _env: Environment, _host: Host): string {
  throw new ConfigError("CONFIG_UNREADABLE", `${path}: can't be read yet`);
}
