/** Finds and reads the configuration of this machine. */
import { hostname } from "node:os";
import { resolve } from "node:path";
import type { Effective } from "../config/written-values.ts";
import { loadConfig, loadEffective, readStateDir, type Loaded } from "../config/load.ts";
import { defaultStateDir, findConfig } from "../system/paths.ts";
import { surroundings } from "../system/surroundings.ts";

/** Where a command looks for configuration and state. */
export interface Where {
  /** As given on the command line; undefined: search. */
  readonly config?: string;
  readonly stateDir?: string;
}

/** A configuration that holds, and the path it was read from. */
export interface ReadSite extends Loaded {
  readonly path: string;
}

/** Reads the configuration. Throws `ConfigError`. */
export function readSite(where: Where): ReadSite {
  const path = findConfig(where.config);
  const { site, ...loaded } = loadConfig(path, environment, host());
  const stateDir = where.stateDir === undefined ? site.stateDir : resolve(where.stateDir);
  return { path, site: { ...site, stateDir }, ...loaded };
}

/** The values in force with their origins, secrets masked. Throws `ConfigError`. */
export function readEffective(where: Where): { path: string; values: readonly Effective[] } {
  const path = findConfig(where.config);
  return { path, values: loadEffective(path, environment, host()) };
}

/** Path of the state directory; mistakes elsewhere in the configuration are ignored. Throws `ConfigError`. */
export function locateState(where: Where): string {
  if (where.stateDir !== undefined) return resolve(where.stateDir);
  return readStateDir(findConfig(where.config), environment, host());
}

function environment(name: string): string | undefined {
  return surroundings().env[name];
}

function host(): { hostName: string; defaultStateDir: () => string } {
  return { hostName: hostname(), defaultStateDir };
}
