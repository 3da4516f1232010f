/** `write`: a value into registers or coils of any device, with consent, read back. */
import { decoderOf, type Value } from "../core/decode.ts";
import { encoderOf } from "../core/encode.ts";
import type { Order, Point } from "../core/model.ts";
import { referenceOf } from "../core/reference.ts";
import { shellWord } from "../core/shell.ts";
import { isBitTable, jsonOf, widthOf } from "../core/types.ts";
import type { DirectWrite, Written } from "../app/write.ts";
import { wrong } from "./arguments.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
import { confirm, YES } from "./confirm.ts";
import { EXIT } from "./exit-codes.ts";
import { listening } from "./listening.ts";
import { JSON_FLAG } from "./node-options.ts";
import { printable } from "./printable.ts";
import { isText, rawOf } from "./read-rows.ts";
import {
  countOf,
  isConnection,
  placeOf,
  pointOf,
  TABLE,
  TIMEOUT,
  TYPE,
  unitOf,
  unknown,
  type Unit,
} from "./registers.ts";
import { sameLine } from "./same-line.ts";
import { refuseUnwritten } from "./write-failure.ts";

const ORDERS: readonly Order[] = ["ABCD", "CDAB", "BADC", "DCBA"];
const ORDER: Option = {
  name: "order",
  value: "ORDER",
  about: `Order of the bytes of a value: ${ORDERS.join(", ")}; default ABCD`,
};
const COUNT: Option = {
  name: "count",
  value: "N",
  about: "Registers of a string or raw; default as many as it takes",
};
/** Registers and coils of one request (Modbus Application Protocol 6.12). */
const MOST_REGISTERS = 123;

/** What is to be written where. */
interface Job extends Unit {
  readonly point: Point;
  readonly words: readonly number[];
  /** The unit and the place, in words. */
  readonly where: string;
  /** What is to be written, in words; with the type when that was not given. */
  readonly wanted: string;
}

/** The command. */
export const write: Command = {
  name: "write",
  argument: "CONNECTION/UNIT",
  more: "ADDRESS VALUE",
  about: "Write a value and read it back, after asking; through the node when it owns the endpoint",
  options: [TABLE, TYPE, ORDER, COUNT, YES, JSON_FLAG],
  examples: [
    "write tcp://10.0.0.5/1 40001 62.4 --type float32",
    "write 'serial:///dev/ttyUSB0?baud=9600&parity=none/1' 00001 on",
  ],
  run: async (given, context) => {
    const { out, caller } = context;
    const job = jobOf(given, caller);
    if (!(await consents(job, given, context))) {
      out.note("nothing was written");
      return EXIT.usage;
    }
    const { writeEndpoint } = await import("../app/write.ts");
    const asked = requestOf(job);
    const { connection, typed } = job;
    const manner = { connection, timeout: TIMEOUT, listens: listening(out) };
    const written = await writeEndpoint(manner, asked);
    const target = shellWord(given.argument ?? "");
    const next = `${caller} read ${target} ${referenceOf(asked.table, asked.address)} --type ${job.point.type}`;
    refuseUnwritten(written, asked, { connection, typed, next });
    if (given.flags.has("json")) out.line(JSON.stringify(toldOf(job, written)));
    else for (const line of lines(job, written)) out.line(printable(line));
    return written.verdict === "confirmed" ? EXIT.ok : EXIT.degraded;
  },
};

function jobOf(given: Given, caller: string): Job {
  const example = `${caller} write tcp://10.0.0.5/1 40001 62.4 --type float32`;
  const { argument, more } = given;
  if (argument === undefined) throw wrong("Where to write is missing", example);
  if (!isConnection(argument)) {
    const text = `Points of a configuration are not written in this version; name the place as CONNECTION/UNIT ADDRESS, not "${printable(argument)}"`;
    throw wrong(text, example);
  }
  const unit = unitOf(argument, example, (target) => sameLine([caller, "write"], given, target));
  if (unit.unitId === 0 && "baud" in unit.connection) {
    throw wrong("Unit 0 of a line is a broadcast, which nobody answers", example);
  }
  const [address = "", text, surplus] = more;
  if (surplus !== undefined) throw wrong("Only one value can be written", example);
  const point = writable(pointOf(placeOf(address, given, example), given, example), given, example);
  if (text === undefined) throw wrong("The value is missing", example);
  const value = valueFrom(text, point, example);
  const sized = isText(point) ? { ...point, length: lengthOf(text, point, given, example) } : point;
  const words = new Uint16Array(widthOf(sized));
  if (words.length > MOST_REGISTERS || sized.address + words.length > 65_536) {
    throw wrong(
      `One request writes at most ${String(MOST_REGISTERS)} registers, up to address 65535`,
      example,
    );
  }
  encoderOf({ ...sized, id: `${sized.table} ${String(sized.address)}` })(value, words, 0);
  const taken = given.values.has("type") || isBitTable(sized.table) ? "" : ` as ${sized.type}`;
  const wanted = shown(sized, [...words]) + taken;
  return { ...unit, point: sized, words: [...words], where: placeText(unit, sized), wanted };
}

function writable(point: Point, given: Given, example: string): Point {
  const { table, type } = point;
  if (table === "discrete" || table === "input") {
    throw wrong(
      `${table === "input" ? "An input register" : "A discrete input"} can only be read; coils and holding registers can be written`,
      example,
    );
  }
  if (type === "int8" || type === "uint8") {
    throw wrong(
      `An ${type} shares its register with another byte; write the whole register as uint16`,
      example,
    );
  }
  const named = valueOf(given, "order") ?? "ABCD";
  const order = ORDERS.find((known) => known === named);
  if (order === undefined) throw wrong(unknown("order", named, ORDERS), example);
  return { ...point, order };
}

/** The value that a text means, as it has it in readings. */
function valueFrom(text: string, point: Point, example: string): Value {
  const json = jsonOf(point);
  if (json === "string") return text;
  if (json === "boolean") {
    if (/^(true|on|1)$/i.test(text)) return true;
    if (/^(false|off|0)$/i.test(text)) return false;
    throw wrong(`"${printable(text)}" is neither true nor false, on nor off, 1 nor 0`, example);
  }
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw wrong(`"${printable(text)}" is no number; decimals have a point`, example);
}

function lengthOf(text: string, { type }: Point, given: Given, example: string): number {
  if (given.values.has("count")) return countOf(given, example);
  const bytes = type === "raw" ? text.length / 2 : Buffer.byteLength(text);
  return Math.max(1, Math.ceil(bytes / 2));
}

/** Whether somebody who sees what is there now wants it written. */
async function consents(job: Job, given: Given, { out, caller }: Context): Promise<boolean> {
  if (given.flags.has("yes")) return true;
  const { readEndpoint } = await import("../app/read.ts");
  const asked = requestOf(job);
  const { unitId, table, address } = asked;
  const { connection, typed } = job;
  const manner = { connection, timeout: TIMEOUT, listens: listening(out) };
  const answer = await readEndpoint(manner, { unitId, table, address, count: job.words.length });
  if (!answer.ok && answer.reason !== "exception") {
    const written: Written = { verdict: "unasked", function: 0, failure: answer };
    refuseUnwritten(written, asked, { connection, typed, next: "" });
  }
  const now = answer.ok ? `holds ${shown(job.point, answer.words)}` : "can't be read";
  const deed = `write ${job.wanted} to ${job.where}, which ${now}`;
  const question = `${job.where} ${now}. Write ${job.wanted}?`;
  return confirm(
    given,
    printable(deed),
    `${sameLine([caller, "write"], given, given.argument ?? "")} --yes`,
    printable(question),
  );
}

function requestOf({ unitId, point, words }: Job): DirectWrite {
  // `writable` has refused the other tables.
  const table = point.table as DirectWrite["table"];
  return { unitId, table, address: point.address, words };
}

function placeText({ connection, unitId }: Unit, { table, address }: Point): string {
  const reference = referenceOf(table, address);
  return `${connection.url}: ${table} ${String(address)} (${reference}) of unit ${String(unitId)}`;
}

/** Words as a value, and as they are. */
function shown(point: Point, words: readonly number[]): string {
  const { value, raw } = readingOf(point, words);
  return isBitTable(point.table) ? String(value) : `${String(value)} (${raw})`;
}

function readingOf(point: Point, words: readonly number[]) {
  const all = Uint16Array.from(words);
  const decoded = decoderOf(point)(all, 0);
  const value = "value" in decoded ? decoded.value : decoded.reason;
  return { value, raw: rawOf(all, 0, point) };
}

function lines({ point, wanted }: Job, { before, after, verdict, failure }: Written): string[] {
  const had = before === undefined ? "?" : shown(point, before);
  const change = `${had} -> ${wanted}`;
  if (verdict === "confirmed") {
    const lost = failure === undefined ? "" : `; its answer was lost: ${failure.detail}`;
    return [`${change}, read back${lost}`];
  }
  if (after === undefined) {
    return [`${change}, answered by the device, but not read back: ${failure?.detail ?? ""}`];
  }
  return [
    `${change}, answered by the device, but it holds ${shown(point, after)}`,
    "It may round or limit the value, or take it over later; or another order or type is right.",
  ];
}

function toldOf({ unitId, point, words, connection }: Job, written: Written): object {
  const { table, address, type, order } = point;
  const { before, after, failure, function: code, verdict } = written;
  const reading = (held: readonly number[] | undefined) =>
    held === undefined ? null : readingOf(point, held);
  return {
    ...{ connection: connection.url, unitId, table, address },
    ...{ reference: referenceOf(table, address), type, order, function: code, verdict },
    ...{ before: reading(before), wanted: reading(words), after: reading(after) },
    ...(failure === undefined ? {} : { failure }),
  };
}
