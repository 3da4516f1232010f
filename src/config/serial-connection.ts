/** A serial line, as written in `connection`: `serial:///dev/ttyUSB0?baud=9600&parity=even&stop=1`. */
import type { LineSettings } from "../core/model.ts";
import type { ParsedConnection } from "./connection.ts";
import { similar } from "./similar.ts";

/** Rates that adapters and devices have; a number between them is a slip. */
export const BAUDS: readonly number[] = [
  ...[300, 600, 1200, 2400, 4800, 9600, 14_400, 19_200, 28_800, 38_400],
  ...[57_600, 76_800, 115_200, 230_400, 460_800, 921_600],
];
const PARITIES = ["none", "even", "odd"] as const;
const KEYS = ["baud", "parity", "data", "stop"] as const;
type Key = (typeof KEYS)[number];

/** What a line is when nothing is said (Modbus over Serial Line 2.5.1: 19200 baud and even parity). */
const BAUD = 19_200;
const PARITY = "even";

type Written = Partial<Record<Key, string>>;
type Faulty = { readonly fault: string };

/** Reads what follows `serial://`; without parity a character has two stop bits unless one is given. */
export function parseSerial(rest: string): ParsedConnection {
  const at = rest.indexOf("?");
  const path = at < 0 ? rest : rest.slice(0, at);
  if (!path.startsWith("/")) {
    return {
      fault: "must have the whole path of the line behind serial://, as in serial:///dev/…",
    };
  }
  if (/[\s\p{Cc}]/u.test(path) || path.endsWith("/") || path.split("/").includes("..")) {
    return { fault: "must have the path of a serial line, such as serial:///dev/ttyUSB0" };
  }
  const written = at < 0 ? {} : writtenOf(rest.slice(at + 1));
  if ("fault" in written) return written;
  const settings = settingsOf(written);
  if ("fault" in settings) return settings;
  const { baud, parity, stopBits } = settings;
  const query = `baud=${String(baud)}&parity=${parity}&stop=${String(stopBits)}`;
  return { connection: { kind: "serial", url: `serial://${path}?${query}`, path, ...settings } };
}

function writtenOf(query: string): Written | Faulty {
  const written: Written = {};
  for (const part of query.split("&")) {
    const [, name = part, value] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    const key = KEYS.find((known) => known === name);
    if (key === undefined) return { fault: unknownKey(name) };
    if (value === undefined) return { fault: `must give ${key} a value, as in ${key}=…` };
    if (written[key] !== undefined) return { fault: `must not say ${key} twice` };
    written[key] = value;
  }
  return written;
}

/** What other programs call `baudrate` or `stopbits` begins with our word. */
function unknownKey(name: string): string {
  const lower = name.toLowerCase();
  const guess = KEYS.find((known) => lower.startsWith(known)) ?? similar(name, KEYS);
  const hint = guess === undefined ? "" : ` (did you mean ${guess}?)`;
  return `must have nothing but baud, parity, data and stop behind the ?${hint}`;
}

function settingsOf({ baud, parity, data, stop }: Written): LineSettings | Faulty {
  const rate = baud === undefined ? BAUD : Number(baud);
  if (!/^\d*$/.test(baud ?? "") || !BAUDS.includes(rate)) return { fault: wrongBaud(baud ?? "") };
  const chosen = PARITIES.find((known) => known === (parity ?? PARITY));
  if (chosen === undefined) {
    const guess =
      similar(parity ?? "", PARITIES) ?? PARITIES.find(([n]) => n === parity?.[0]?.toLowerCase());
    const hint = guess === undefined ? "" : ` (did you mean ${guess}?)`;
    return { fault: `must have a parity of none, even or odd${hint}` };
  }
  if (data !== undefined && data !== "8") {
    return {
      fault: "must have data=8, or leave it out: Modbus RTU sends bytes, 7 bits are for ASCII",
    };
  }
  if (stop !== undefined && stop !== "1" && stop !== "2") {
    return { fault: "must have a stop of 1 or 2 bits" };
  }
  const silent = chosen === "none" ? "2" : "1";
  return { baud: rate, parity: chosen, stopBits: (stop ?? silent) === "2" ? 2 : 1 };
}

/** A slip of a digit is likelier than one left out. */
function wrongBaud(written: string): string {
  const words = BAUDS.map(String);
  const asLong = words.filter((word) => word.length === written.length);
  const guess = similar(written, asLong) ?? similar(written, words);
  const hint = guess === undefined ? "" : ` (did you mean ${guess}?)`;
  return `must have a baud of ${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}${hint}`;
}
