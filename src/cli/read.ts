/** `read`: points of a device as configured, or any registers of any device. */
import { similar } from "../config/similar.ts";
import type { ParsedConnection } from "../config/connection.ts";
import { typeMeant } from "../config/type-names.ts";
import { NoNodeError, UnavailableError } from "../core/errors.ts";
import { POINT_TYPES, timeoutOf, type Point, type PointType, type Table } from "../core/model.ts";
import { planSchedule } from "../core/plan.ts";
import type { ReadRequest } from "../core/ports.ts";
import { referenceOf } from "../core/reference.ts";
import { isBitTable, widthOf } from "../core/types.ts";
import type { Configured, DirectAnswer } from "../app/read.ts";
import { wrong } from "./arguments.ts";
import { columns } from "./columns.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
import { CONFIG, JSON_FLAG, sameNode, STATE_DIR, whereOf } from "./node-options.ts";
import { printable } from "./printable.ts";
import { failureOf } from "./read-failure.ts";
import { inAllOrders, isText, pointLines, pointRow, rawOf, type PointRow } from "./read-rows.ts";

const TABLES: readonly Table[] = ["coil", "discrete", "holding", "input"];
/** ms for a device that is not in the configuration. */
const TIMEOUT = 2000;

const TABLE: Option = {
  name: "table",
  value: "TABLE",
  about: `${TABLES.join(", ")}; the address then counts from 0`,
};
const TYPE: Option = {
  name: "type",
  value: "TYPE",
  about: "Type of the values; default uint16, or bool for bits",
};
const COUNT: Option = {
  name: "count",
  value: "N",
  about: "How many values; registers for string and raw; default 1",
};

/** The command. */
export const read: Command = {
  name: "read",
  argument: "GATEWAY/DEVICE | CONNECTION/UNIT",
  more: "POINT | ADDRESS",
  about: "Read points of a device, or any registers; through the node when it owns the endpoint",
  options: [TABLE, TYPE, COUNT, CONFIG, STATE_DIR, JSON_FLAG],
  run: (given, context) => {
    const { argument } = given;
    const example = `${context.caller} read tcp://10.0.0.5/1 40001 --type float32`;
    if (argument === undefined) throw wrong("What to read is missing", example);
    return argument.includes("://")
      ? adHoc(argument, given, context)
      : configured(argument, given, context);
  },
};

async function configured(name: string, given: Given, { out, caller }: Context): Promise<number> {
  const { findDevice } = await import("../app/read.ts");
  const { names, found } = await findDevice(whereOf(given), name);
  const node = sameNode(given);
  if (found === undefined) {
    const meant = similar(name, names) ?? names[0] ?? name;
    throw wrong(unknown("device", name, names), `${caller} read ${meant}${node}`);
  }
  const { gateway, device } = found;
  const where = `${gateway.id}/${device.id}`;
  const { requests, timeout } = wanted(found, given.more, `${caller} read ${where}${node}`);
  const rows: PointRow[] = [];
  let refused: string | undefined;
  for (const request of requests) {
    const answer = await answerTo(found, request, timeout, `${caller} start${node}`);
    // An exception is about these points only; whatever else came instead is about the device.
    const isRefusal = !answer.ok && answer.reason === "exception";
    if (isRefusal) refused ??= failureOf(answer, request, where);
    const words = isRefusal ? undefined : wordsOf(answer, request, where);
    const exception = answer.ok ? undefined : answer.exception;
    rows.push(...request.points.map((planned) => pointRow(planned, words, exception)));
  }
  if (refused !== undefined && rows.every(({ error }) => error?.reason === "exception")) {
    throw new UnavailableError("NO_ANSWER", refused);
  }
  const { id, unitId } = device;
  if (given.flags.has("json")) {
    out.line(JSON.stringify({ gateway: gateway.id, device: id, unitId, points: rows }));
  } else for (const line of pointLines(rows)) out.line(printable(line));
  return 0;
}

async function answerTo(
  found: Configured,
  request: ReadRequest,
  timeout: number,
  start: string,
): Promise<DirectAnswer> {
  const { readByNode, readEndpoint } = await import("../app/read.ts");
  const { connection } = found.gateway;
  if (connection.kind !== "simulator") {
    return readEndpoint(connection, request, timeout, found.gateway);
  }
  return readByNode(found, request, timeout).catch((error: unknown) => {
    if (!(error instanceof NoNodeError)) throw error;
    const text = `${connection.url} is served by the node only, and none runs`;
    throw new UnavailableError("NO_ANSWER", `${text}. Next: ${start}`, error);
  });
}

/** The fewest requests for the points, whatever their intervals. */
function wanted({ gateway, device }: Configured, ids: readonly string[], next: string) {
  const known = device.points.map(({ id }) => id);
  const odd = ids.find((id) => !known.includes(id));
  if (odd !== undefined) throw wrong(unknown("point", odd, known), next);
  const chosen = device.points.filter(({ id }) => ids.length === 0 || ids.includes(id));
  const interval = Math.min(...chosen.map((point) => point.interval));
  const points = chosen.map((point) => ({ ...point, interval }));
  const plan = planSchedule({ ...gateway, devices: [{ ...device, points }] }, interval);
  return {
    requests: plan.devices.flatMap(({ requests }) => requests),
    timeout: timeoutOf(gateway, interval),
  };
}

async function adHoc(target: string, given: Given, { out, caller }: Context): Promise<number> {
  const { parseConnection, parseReference, readEndpoint } = await import("../app/read.ts");
  const example = `${caller} read tcp://10.0.0.5/1 40001 --type float32`;
  const [, url = "", unit = ""] = /^(.*)\/(\d{1,3})$/.exec(target) ?? [];
  const connection = reachable(parseConnection(url));
  if (typeof connection === "string" || Number(unit) > 255) {
    const why = typeof connection === "string" ? `; a connection ${connection}` : "";
    throw wrong(
      `"${printable(target)}" is not CONNECTION/UNIT with a unit from 0 to 255${why}`,
      example,
    );
  }
  const [text = "", surplus] = given.more;
  if (surplus !== undefined)
    throw wrong("Only one address can be read; --count reads more from there", example);
  const place = placeOf(text, valueOf(given, "table"), parseReference);
  if (typeof place === "string") throw wrong(place, example);
  const point = pointOf(place, given, example);
  const count = countOf(given, example);
  const values = isText(point) ? 1 : count;
  const sized = isText(point) ? { ...point, length: count } : point;
  const request: ReadRequest = { ...place, unitId: Number(unit), count: values * widthOf(sized) };
  const most = isBitTable(place.table) ? 2000 : 125;
  if (request.count > most || place.address + request.count > 65_536) {
    throw wrong(
      `One request reads at most ${String(most)} of ${place.table}, up to address 65535`,
      example,
    );
  }
  const answer = await readEndpoint(connection, request, TIMEOUT);
  const words = wordsOf(answer, request, connection.url);
  const rows = Array.from({ length: values }, (_, i) => rowOf(sized, i * widthOf(sized), words));
  if (given.flags.has("json"))
    out.line(JSON.stringify({ ...request, type: point.type, values: rows }));
  else for (const line of table(rows)) out.line(printable(line));
  return 0;
}

/** One value in every order that its registers can have. */
function rowOf(point: Point, at: number, words: Uint16Array) {
  const address = point.address + at;
  const reference = referenceOf(point.table, address);
  return {
    address,
    reference,
    raw: rawOf(words, at, point),
    values: inAllOrders(point, words, at),
  };
}

/** A connection that is there without a node, or what is wrong. */
function reachable(parsed: ParsedConnection) {
  if ("fault" in parsed) return parsed.fault;
  const { connection } = parsed;
  return connection.kind === "simulator" ? "is not one of a simulator" : connection;
}

function table(rows: readonly ReturnType<typeof rowOf>[]): string[] {
  const orders = Object.keys(rows[0]?.values ?? {});
  const head = ["address", "reference", "raw", ...(orders.length > 1 ? orders : ["value"])];
  return columns([
    head,
    ...rows.map(({ address, reference, raw, values }) => {
      return [String(address), reference, raw, ...Object.values(values).map(String)];
    }),
  ]);
}

function wordsOf(answer: DirectAnswer, request: ReadRequest, where: string): Uint16Array {
  if (answer.ok) return Uint16Array.from(answer.words);
  throw new UnavailableError("NO_ANSWER", failureOf(answer, request, where));
}

type Place = Pick<Point, "table" | "address">;

/** Where to read, or what is wrong. */
function placeOf(
  text: string,
  named: string | undefined,
  parse: (text: string) => Place | undefined,
): Place | string {
  if (named === undefined) {
    const hint =
      "is no 5- or 6-digit reference such as 40001; with --table holding it counts from 0";
    return parse(text) ?? (text === "" ? "The address is missing" : `"${printable(text)}" ${hint}`);
  }
  const found = TABLES.find((known) => known === named);
  if (found === undefined) return unknown("table", named, TABLES);
  const address = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  return address <= 65_535
    ? { table: found, address }
    : `"${printable(text)}" is no address from 0 to 65535`;
}

function pointOf(place: Place, given: Given, example: string): Point {
  const bits = isBitTable(place.table);
  const named = valueOf(given, "type") ?? (bits ? "bool" : "uint16");
  const type: PointType | undefined = POINT_TYPES.find((known) => known === named);
  if (type === undefined)
    throw wrong(unknown("type", named, POINT_TYPES, typeMeant(named)), example);
  if (bits !== (type === "bool")) {
    throw wrong(
      bits ? `A ${place.table} is a bool` : "A register is no bool; read it as uint16",
      example,
    );
  }
  return { ...place, id: "value", type, order: "ABCD", interval: 1000 };
}

function countOf(given: Given, example: string): number {
  const text = valueOf(given, "count") ?? "1";
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw wrong(`--count takes a whole number from 1, not "${printable(text)}"`, example);
}

function unknown(
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
