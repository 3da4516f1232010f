/** Registers of any device, as they are named on the command line. */
import { parseConnection } from "../config/connection.ts";
import { beyondReferences, parseReference } from "../config/reference.ts";
import { similar } from "../config/similar.ts";
import { typeMeant } from "../config/type-names.ts";
import type { Reachable } from "../app/links.ts";
import { POINT_TYPES, type Point, type PointType, type Table } from "../core/model.ts";
import { isBitTable } from "../core/types.ts";
import { wrong } from "./arguments.ts";
import { valueOf, type Given, type Option } from "./command.ts";
import { printable } from "./printable.ts";

const TABLES: readonly Table[] = ["coil", "discrete", "holding", "input"];

/** ms for a device that is not in the configuration. */
export const TIMEOUT = 2000;

/** In which table an address lies. */
export const TABLE: Option = {
  name: "table",
  value: "TABLE",
  about: `${TABLES.join(", ")}; the address then counts from 0`,
};
/** What the registers hold. */
export const TYPE: Option = {
  name: "type",
  value: "TYPE",
  about: "Type of the values; default uint16, or bool for bits",
};

/** How many of them. */
export const COUNT: Option = {
  name: "count",
  value: "N",
  about: "How many values; registers for string and raw; default 1",
};

/** A unit, and the connection that it is reached by without a node. */
export interface Unit {
  readonly connection: Reachable;
  readonly unitId: number;
  /** The connection in the words it was given in. */
  readonly typed: string;
}

/** Where registers lie. */
export type Place = Pick<Point, "table" | "address">;

/** A host that is no id of a configuration: an IPv4 address, or a name with a port or with dots and a unit. */
const HOST = /^(?:\d+(?:\.\d+){3}|[\w.-]+:\d+|[\w-]+\.[\w.-]+(?=\/\d))(?:\/\d{1,3})?$/;

/** Whether a target is a connection, be it without its scheme, and no GATEWAY/DEVICE. */
export function isConnection(target: string): boolean {
  return target.includes("://") || withScheme(target) !== undefined;
}

/** The target with the scheme that it most likely lacks; undefined when it lacks none. */
function withScheme(target: string): string | undefined {
  if (target.startsWith("/dev/")) return `serial://${target}`;
  return HOST.test(target) ? `tcp://${target}` : undefined;
}

/**
 * The unit that CONNECTION/UNIT names. Throws `UsageError`; the next command is `example`, or what `again`
 * makes of the target put right.
 */
export function unitOf(target: string, example: string, again: (target: string) => string): Unit {
  const meant = withScheme(target);
  if (meant !== undefined) {
    const schemes = "tcp://, rtu+tcp://, tls:// or serial://";
    const text = `"${printable(target)}" names no protocol: a connection begins with ${schemes}`;
    throw wrong(text, again(/\/\d{1,3}$/.test(meant) ? meant : (withUnit(meant) ?? meant)));
  }
  const [, url = "", unit = ""] = /^(.*)\/(\d{1,3})$/.exec(target) ?? [];
  const connection = reachable(url);
  if (typeof connection !== "string" && Number(unit) <= 255) {
    return { connection, unitId: Number(unit), typed: url };
  }
  const right = withUnit(target);
  if (right !== undefined) {
    const text = `"${printable(target)}" does not say which unit: its id stands last, behind the connection`;
    throw wrong(text, again(right));
  }
  const why = typeof connection === "string" ? `; a connection ${connection}` : "";
  throw wrong(
    `"${printable(target)}" is not CONNECTION/UNIT with a unit from 0 to 255${why}`,
    example,
  );
}

/** The target with a unit at its end: the one that stands before the settings of a line, or 1; undefined when it is no connection. */
function withUnit(target: string): string | undefined {
  const [, path, unit, settings] = /^(serial:.*[^/])\/(\d{1,3})(\?.*)$/.exec(target) ?? [];
  // Pseudo terminals are numbers in a folder.
  if (path !== undefined && !path.endsWith("/pts") && Number(unit) <= 255) {
    const moved = `${path}${String(settings)}`;
    if (typeof reachable(moved) !== "string") return `${moved}/${String(unit)}`;
  }
  const bare = target.replace(/\/$/, "");
  return typeof reachable(bare) === "string" ? undefined : `${bare}/1`;
}

/** A connection that is there without a node, or what is wrong. */
export function reachable(url: string): Reachable | string {
  const parsed = parseConnection(url);
  if ("fault" in parsed) return parsed.fault;
  const { connection } = parsed;
  return connection.kind === "simulator" ? "is not one of a simulator" : connection;
}

/** The place that an address means, with `--table` or as a reference. Throws `UsageError`. */
export function placeOf(text: string, given: Given, example: string): Place {
  const named = valueOf(given, "table");
  const place = named === undefined ? parseReference(text) : placeIn(named, text, example);
  if (place !== undefined) return place;
  if (text === "") throw wrong("The address is missing", example);
  const shown = `"${printable(text)}"`;
  if (named !== undefined) throw wrong(`${shown} is no address from 0 to 65535`, example);
  const hint = "is no 5- or 6-digit reference such as 40001; with --table holding it counts from 0";
  throw wrong(`${shown} ${beyondReferences(text) ?? hint}`, example);
}

function placeIn(named: string, text: string, example: string): Place | undefined {
  const table = TABLES.find((known) => known === named);
  if (table === undefined) throw wrong(unknown("table", named, TABLES), example);
  const address = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  return address <= 65_535 ? { table, address } : undefined;
}

/** What lies there, by `--type`. Throws `UsageError`. */
export function pointOf(place: Place, given: Given, example: string): Point {
  const bits = isBitTable(place.table);
  const named = valueOf(given, "type") ?? (bits ? "bool" : "uint16");
  const type: PointType | undefined = POINT_TYPES.find((known) => known === named);
  if (type === undefined)
    throw wrong(unknown("type", named, POINT_TYPES, typeMeant(named)), example);
  if (bits !== (type === "bool")) {
    throw wrong(
      bits ? `A ${place.table} is a bool` : "A register is no bool; uint16 is the whole of it",
      example,
    );
  }
  return { ...place, id: "value", type, order: "ABCD", interval: 1000 };
}

/** The number behind `--count`. Throws `UsageError`. */
export function countOf(given: Given, example: string): number {
  const text = valueOf(given, "count") ?? "1";
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw wrong(`--count takes a whole number from 1, not "${printable(text)}"`, example);
}

/** That there is nothing of a name, and what there is. */
export function unknown(
  what: string,
  word: string,
  known: readonly string[],
  guess = similar(word, known),
): string {
  const hint =
    guess === undefined
      ? `; there are ${known.slice(0, 20).join(", ")}`
      : `; did you mean ${guess}?`;
  return `There is no ${what} "${printable(word)}"${hint}`;
}
