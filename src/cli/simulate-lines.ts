/** Lines that read from a simulated device; they work when pasted. */
import type { Simulated } from "../app/simulate.ts";
import type { Table } from "../core/model.ts";
import { referenceOf } from "../core/reference.ts";
import { shellWord } from "../core/shell.ts";

type First = Simulated["first"];

/** What stands for the other end of a line, whose name is not known here. */
const OTHER_END = "OTHER-END";
const MBPOLL_TABLES: Readonly<Record<Table, number>> = {
  coil: 0,
  discrete: 1,
  input: 3,
  holding: 4,
};

/** Reads a value with edgepoll. */
export function readLine(url: string, unit: number, first: First, caller: string): string {
  const { table, address, type } = first;
  const what = table === "coil" || table === "discrete" ? "" : ` --type ${type}`;
  const [, path, query = ""] = /^serial:\/\/([^?]+)(.*)$/.exec(url) ?? [];
  const at = path === undefined ? url : `serial:///${OTHER_END}${query}`;
  return `${caller} read ${shellWord(`${at}/${String(unit)}`)} ${referenceOf(table, address)}${what}`;
}

/** Reads it once with mbpoll, which counts from 1, and takes the low word first unless told. */
export function mbpollLine(url: string, unit: number, first: First): string {
  const { table, address, type, order } = first;
  const form = type === "float32" ? ":float" : type === "int32" ? ":int" : "";
  const words = form !== "" && order === "ABCD" ? " -B" : "";
  const what = `-a ${String(unit)} -t ${String(MBPOLL_TABLES[table])}${form}${words}`;
  const where = `-r ${String(address + 1)} -c 1 -1`;
  const [, host, port = ""] = /^tcp:\/\/\[?(.*?)\]?:(\d+)$/.exec(url) ?? [];
  if (host !== undefined) return `mbpoll -m tcp -p ${port} ${what} ${where} ${shellWord(host)}`;
  const [, baud = "", parity = "", stop = ""] = /baud=(\d+)&parity=(\w+)&stop=(\d)/.exec(url) ?? [];
  return `mbpoll -m rtu -b ${baud} -P ${parity} -s ${stop} ${what} ${where} /${OTHER_END}`;
}
