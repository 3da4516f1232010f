/** `read`: points of a device as configured, or any registers of any device. */
import { similar } from "../config/similar.ts";
import { NoNodeError, UnavailableError } from "../core/errors.ts";
import { timeoutOf, type Point } from "../core/model.ts";
import { planSchedule } from "../core/plan.ts";
import type { ReadRequest } from "../core/ports.ts";
import { referenceOf } from "../core/reference.ts";
import { isBitTable, widthOf } from "../core/types.ts";
import type { Configured, DirectAnswer } from "../app/read.ts";
import { wrong } from "./arguments.ts";
import { columns } from "./columns.ts";
import { valueOf, type Command, type Context, type Given } from "./command.ts";
import { CONFIG, JSON_FLAG, sameNode, STATE_DIR, whereOf } from "./node-options.ts";
import { listening } from "./listening.ts";
import type { Output } from "./output.ts";
import { printable } from "./printable.ts";
import { readApart } from "./read-apart.ts";
import { failureOf, type Asked } from "./read-failure.ts";
import {
  COUNT,
  countOf,
  isConnection,
  placeOf,
  pointOf,
  TABLE,
  TIMEOUT,
  TYPE,
  unitOf,
  unknown,
} from "./registers.ts";
import { sameLine } from "./same-line.ts";
import { readSunSpec, SUNSPEC, WRITE_PROFILE } from "./sunspec.ts";
import { inAllOrders, isText, pointLines, pointRow, rawOf, type PointRow } from "./read-rows.ts";

/** The command. */
export const read: Command = {
  name: "read",
  argument: "GATEWAY/DEVICE | CONNECTION/UNIT",
  more: "POINT | ADDRESS",
  about: "Read points of a device, or any registers; through the node when it owns the endpoint",
  options: [TABLE, TYPE, COUNT, SUNSPEC, WRITE_PROFILE, CONFIG, STATE_DIR, JSON_FLAG],
  examples: [
    "read hall/meter voltage",
    "read tcp://10.0.0.5/1 40001 --type float32",
    "read 'serial:///dev/ttyUSB0?baud=9600&parity=none/1' 30001 --count 4",
  ],
  run: (given, context) => {
    const { argument } = given;
    const example = `${context.caller} read tcp://10.0.0.5/1 40001 --type float32`;
    if (argument === undefined) throw wrong("What to read is missing", example);
    if (given.flags.has("sunspec")) return sunSpec(argument, given, context);
    if (given.values.has("write-profile")) {
      throw wrong("--write-profile goes with --sunspec", `${context.caller} read --help`);
    }
    return isConnection(argument)
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
  const asked = { where, connection: gateway.connection };
  const { requests, timeout } = wanted(found, given.more, `${caller} read ${where}${node}`);
  const rows: PointRow[] = [];
  let refused: string | undefined;
  const start = `${caller} start${node}`;
  const ask = (request: ReadRequest) => answerTo(found, request, timeout, start, out);
  for await (const { request, answer } of readApart(requests, ask)) {
    // An exception is about these points only; whatever else came instead is about the device.
    const isRefusal = !answer.ok && answer.reason === "exception";
    if (isRefusal) refused ??= failureOf(answer, request, asked);
    const words = isRefusal ? undefined : wordsOf(answer, request, asked);
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
  out: Output,
): Promise<DirectAnswer> {
  const { readByNode, readEndpoint } = await import("../app/read.ts");
  const { connection } = found.gateway;
  if (connection.kind !== "simulator") {
    const manners = found.gateway;
    return readEndpoint({ connection, manners, timeout, listens: listening(out) }, request);
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
  const { readEndpoint } = await import("../app/read.ts");
  const example = `${caller} read tcp://10.0.0.5/1 40001 --type float32`;
  const { connection, unitId, typed } = unitOf(target, example, again(given, caller));
  const [text = "", surplus] = given.more;
  if (surplus !== undefined)
    throw wrong("Only one address can be read; --count reads more from there", example);
  const place = placeOf(text, given, example);
  const point = pointOf(place, given, example);
  const count = countOf(given, example);
  const values = isText(point) ? 1 : count;
  const sized = isText(point) ? { ...point, length: count } : point;
  const request: ReadRequest = { ...place, unitId, count: values * widthOf(sized) };
  const most = isBitTable(place.table) ? 2000 : 125;
  if (request.count > most || place.address + request.count > 65_536) {
    throw wrong(
      `One request reads at most ${String(most)} of ${place.table}, up to address 65535`,
      example,
    );
  }
  const listens = listening(out);
  const answer = await readEndpoint({ connection, timeout: TIMEOUT, listens }, request);
  const words = wordsOf(answer, request, { where: connection.url, connection, typed });
  const rows = Array.from({ length: values }, (_, i) => rowOf(sized, i * widthOf(sized), words));
  if (given.flags.has("json"))
    out.line(JSON.stringify({ ...request, type: point.type, values: rows }));
  else for (const line of table(rows)) out.line(printable(line));
  return 0;
}

/** Reads what the device tells by SunSpec, which needs no address. */
async function sunSpec(target: string, given: Given, context: Context): Promise<number> {
  const example = `${context.caller} read tcp://10.0.0.5/1 --sunspec`;
  const stray = ["table", "type", "count"].find((name) => given.values.has(name));
  if (stray !== undefined || given.more.length > 0) {
    const what = stray === undefined ? "no ADDRESS" : `no --${stray}`;
    throw wrong(`--sunspec takes ${what}: it finds all there is`, example);
  }
  const file = valueOf(given, "write-profile");
  if (file !== undefined && !/\.ya?ml$/.test(file)) {
    const text = `--write-profile takes a FILE that ends in .yaml, not "${printable(file)}"`;
    throw wrong(text, example);
  }
  return readSunSpec(unitOf(target, example, again(given, context.caller)), given, context);
}

/** The same command line for another target. */
function again(given: Given, caller: string): (target: string) => string {
  return (target) => sameLine([caller, "read"], given, target);
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

function wordsOf(answer: DirectAnswer, request: ReadRequest, asked: Asked): Uint16Array {
  if (answer.ok) return Uint16Array.from(answer.words);
  throw new UnavailableError("NO_ANSWER", failureOf(answer, request, asked));
}
