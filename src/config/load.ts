/** The way into the configuration: a file in, a resolved site out. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError, messageOf } from "../core/errors.ts";
import type { Site } from "../core/model.ts";
import { budgetFaults } from "./budget.ts";
import { effectiveValues, type Effective } from "./effective.ts";
import { mistakeAt } from "./mistakes.ts";
import { nodeAt } from "./places.ts";
import { headline, report } from "./report.ts";
import { resolveSite } from "./resolve.ts";
import type { Outside } from "./substitute.ts";
import { validate, type Validated } from "./validate.ts";
import { fillValues } from "./values.ts";
import { readYaml } from "./yaml-document.ts";
import type { YamlFile } from "./yaml-document.ts";

/** The YAML parser takes about a hundred times the bytes of the file: 4 MiB are 430 MB for seconds. */
const MOST_BYTES = 4 * 2 ** 20;
const SHARE =
  "; let devices of one kind share their points: points: &meter at the first, points: *meter at the others";
const MOST_SECRET_BYTES = 64 * 2 ** 10;

type Valid = Extract<Validated, { settings: unknown }>;

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
  /** Why the site can be checked but not started, each gateway with its place; undefined: it can. */
  readonly unstartable: string | undefined;
}

/** Reads, checks and resolves a configuration file. Throws `ConfigError` with every mistake it has. */
export function loadConfig(path: string, env: Environment, host: Host): Loaded {
  const file = readYaml(readConfig(path));
  const { settings, withoutEffect, warnings, unpolled } = validSettings(path, file, env);
  const site = resolveSite(settings, {
    node: settings.node ?? nodeName(host.hostName),
    stateDir:
      settings.stateDir === undefined
        ? host.defaultStateDir()
        : resolve(dirname(path), settings.stateDir),
    hash: createHash("sha256").update(file.text).digest("hex"),
    withoutEffect,
  });
  const budget = budgetFaults(file, settings, site);
  if (budget.mistakes.length > 0) {
    throw new ConfigError("CONFIG_INVALID", report(path, file, budget.mistakes));
  }
  return {
    site,
    warnings: [...warnings, ...budget.warnings, ...unpolled].map((warning) =>
      headline(path, file, warning),
    ),
    unstartable: unpolled.length === 0 ? undefined : report(path, file, unpolled),
  };
}

/** The values in force, each with its origin; no secret among them. Throws `ConfigError` as `loadConfig` does. */
export function loadEffective(path: string, env: Environment, host: Host): Effective[] {
  const file = readYaml(readConfig(path));
  const { settings } = validSettings(path, file, env);
  const origin = { kind: "default" } as const;
  const fallbacks = [
    ...(settings.node === undefined
      ? [{ key: "node", value: nodeName(host.hostName), origin }]
      : []),
    ...(settings.stateDir === undefined
      ? [{ key: "stateDir", value: host.defaultStateDir(), origin }]
      : []),
  ];
  return [...fallbacks, ...effectiveValues(file, env)];
}

function validSettings(path: string, file: YamlFile, env: Environment): Valid {
  const validated = validate(file, outsideOf(path, env));
  if ("settings" in validated) return validated;
  throw new ConfigError("CONFIG_INVALID", report(path, file, validated.faults));
}

/** Absolute path of the state directory; other mistakes of the file are ignored. Throws `ConfigError`. */
export function readStateDir(path: string, env: Environment, host: Host): string {
  const file = readYaml(readConfig(path));
  const node = nodeAt(file, ["stateDir"]);
  if (node === undefined) return host.defaultStateDir();
  const [unfilled] = fillValues(node, outsideOf(path, env), ["stateDir"]);
  const value: unknown = node.toJSON();
  if (unfilled === undefined && typeof value === "string" && value !== "") {
    return resolve(dirname(path), value);
  }
  const fault = mistakeAt(file, ["stateDir"], unfilled?.fault ?? "must be the path of a directory");
  throw new ConfigError("CONFIG_INVALID", report(path, file, [fault]));
}

/** A host name as the id of a node. */
function nodeName(hostName: string): string {
  const name = hostName.toLowerCase().replace(/[^a-z0-9_-]/g, "-");
  return name.replace(/^[_-]+/, "").slice(0, 63) || "node";
}

function outsideOf(path: string, env: Environment): Outside {
  return { env, file: (name) => readText(resolve(dirname(path), name), MOST_SECRET_BYTES) };
}

function readConfig(path: string): string {
  try {
    return readText(path, MOST_BYTES);
  } catch (error) {
    const missing = codeOf(error) === "ENOENT";
    const text = `${path} ${messageOf(error)}${error instanceof TooLargeError ? SHARE : ""}`;
    throw new ConfigError(missing ? "CONFIG_MISSING" : "CONFIG_UNREADABLE", text);
  }
}

class TooLargeError extends Error {}

/** The text of a regular file. Throws an error whose message continues the name of the file. */
function readText(path: string, mostBytes: number): string {
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

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
