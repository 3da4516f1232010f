/** The way into the configuration: a file in, a resolved site out. */
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { ConfigError, messageOf } from "../core/errors.ts";
import type { Site } from "../core/model.ts";
import { budgetFaults } from "./budget.ts";
import { effectiveValues } from "./effective.ts";
import { mistakeAt } from "./mistakes.ts";
import { nodeAt } from "./places.ts";
import { Profiles } from "./profiles.ts";
import { codeOf, readText, TooLargeError } from "./read-text.ts";
import { headline, report } from "./report.ts";
import { resolveSite } from "./resolve.ts";
import type { Outside } from "./substitute.ts";
import { tlsFaults } from "./tls-files.ts";
import { validate, type Validated } from "./validate.ts";
import { fillValues } from "./values.ts";
import type { Effective, Environment } from "./written-values.ts";
import { readYaml } from "./yaml-document.ts";
import type { YamlFile } from "./yaml-document.ts";

/** The YAML parser takes about a hundred times the bytes of the file: 4 MiB are 430 MB for seconds. */
const MOST_BYTES = 4 * 2 ** 20;
const SHARE =
  "; let devices of one kind share their points with a profile, or with points: &meter at the first, points: *meter at the others";
const MOST_SECRET_BYTES = 64 * 2 ** 10;

type Valid = Extract<Validated, { settings: unknown }>;

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

/** All that is wrong is that a serial line has more to do than it has time for. */
export class OverBudgetError extends ConfigError {
  /** What the configuration asks for. */
  readonly site: Site;

  constructor(text: string, site: Site) {
    super("CONFIG_INVALID", text);
    this.site = site;
  }
}

/** Reads, checks and resolves a configuration file. Throws `ConfigError` with every mistake it has. */
export function loadConfig(path: string, env: Environment, host: Host): Loaded {
  const file = readYaml(readConfig(path));
  const profiles = new Profiles(path);
  const { settings, withoutEffect, warnings } = validSettings(path, file, env, profiles);
  const site = resolveSite(settings, {
    node: settings.node ?? nodeName(host.hostName),
    stateDir:
      settings.stateDir === undefined
        ? host.defaultStateDir()
        : resolve(dirname(path), settings.stateDir),
    hash: profiles
      .texts()
      .reduce((hash, text) => hash.update(text), createHash("sha256").update(file.text))
      .digest("hex"),
    directory: dirname(path),
    withoutEffect,
    profiles,
  });
  const budget = budgetFaults(file, settings, site);
  const tls = tlsFaults(file, dirname(path), settings);
  const mistakes = [...tls, ...budget.mistakes];
  if (mistakes.length > 0) {
    const text = report(path, file, mistakes);
    throw tls.length > 0
      ? new ConfigError("CONFIG_INVALID", text)
      : new OverBudgetError(text, site);
  }
  return {
    site,
    warnings: [...warnings, ...budget.warnings].map((warning) => headline(path, file, warning)),
  };
}

/** The values in force, each with its origin; no secret among them. Throws `ConfigError` as `loadConfig` does. */
export function loadEffective(path: string, env: Environment, host: Host): Effective[] {
  const file = readYaml(readConfig(path));
  const profiles = new Profiles(path);
  const { settings } = validSettings(path, file, env, profiles);
  const origin = { kind: "default" } as const;
  const fallbacks = [
    ...(settings.node === undefined
      ? [{ key: "node", value: nodeName(host.hostName), origin }]
      : []),
    ...(settings.stateDir === undefined
      ? [{ key: "stateDir", value: host.defaultStateDir(), origin }]
      : []),
  ];
  return [...fallbacks, ...effectiveValues(file, env, settings, profiles)];
}

function validSettings(path: string, file: YamlFile, env: Environment, profiles: Profiles): Valid {
  const validated = validate(file, outsideOf(path, env), profiles);
  if ("settings" in validated) return validated;
  const own = validated.faults.length === 0 ? [] : [report(path, file, validated.faults)];
  throw new ConfigError("CONFIG_INVALID", [...own, ...profiles.reports()].join("\n"));
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
