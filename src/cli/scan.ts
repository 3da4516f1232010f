/** `scan`: which units answer behind an endpoint, in which settings, and what they are. */
import { isLine } from "../core/model.ts";
import { UnavailableError } from "../core/errors.ts";
import { shellWord } from "../core/shell.ts";
import type { Reachable } from "../app/links.ts";
import { aboutOf, isOneDevice, type FoundUnit, type Scan } from "../core/scan.ts";
import { wrong } from "./arguments.ts";
import { columns } from "./columns.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
import { count } from "./counts.ts";
import { EXIT } from "./exit-codes.ts";
import { listening } from "./listening.ts";
import { JSON_FLAG } from "./node-options.ts";
import { printable } from "./printable.ts";
import { reachable } from "./registers.ts";
import { doubts, nothingText } from "./scan-nothing.ts";
import { settingsOf } from "./scan-settings.ts";
import { answerText, fitsText } from "./scan-text.ts";
import { stopSignal } from "./stop-signal.ts";

const UNITS: Option = {
  name: "units",
  value: "UNITS",
  many: true,
  about: "Unit ids, such as 1-10,20; default 1-247",
};
const BAUD: Option = {
  name: "baud",
  value: "BAUD",
  many: true,
  about: "Speeds of a line to try, such as 9600,19200; default: that of the connection",
};
const PARITY: Option = {
  name: "parity",
  value: "PARITY",
  many: true,
  about: "Parities of a line to try: none, even, odd; default: that of the connection",
};
const TIMEOUT: Option = {
  name: "timeout",
  value: "MS",
  about: "ms to wait for each answer; default 500 on a line, 1000 over a network",
};
const WRITE_CONFIG: Option = {
  name: "write-config",
  value: "FILE",
  about: "Write a configuration with what was found into a new file",
};

/** The command. */
export const scan: Command = {
  name: "scan",
  argument: "CONNECTION",
  about: "Find the units that answer, in which settings, and what they are; reads only",
  options: [UNITS, BAUD, PARITY, TIMEOUT, WRITE_CONFIG, JSON_FLAG],
  run: async (given, context) => {
    const { out, caller } = context;
    const example = `${caller} scan tcp://10.0.0.5 --units 1-10`;
    const connections = connectionsOf(given, example);
    const unitIds = unitsOf(given, connections[0], example);
    const timeout = timeoutOf(given, connections[0], example);
    const { refuseNoPlace, writeScanConfig } = await import("../app/scan-config.ts");
    const file = valueOf(given, "write-config");
    if (file !== undefined) refuseNoPlace(file);
    const found = await scanned(connections, unitIds, timeout, context);
    if (found.units.length === 0) {
      const typed = given.argument ?? connections[0].url;
      const tried = { connection: connections[0], typed, unitIds, values: given.values };
      throw new UnavailableError("NO_ANSWER", nothingText(found, tried, caller));
    }
    if (given.flags.has("json")) {
      out.line(JSON.stringify({ connection: connections[0].url, ...found }));
    } else for (const line of lines(found, unitIds.length)) out.line(printable(line));
    if (file !== undefined) {
      await writeScanConfig(file, found, unitIds.length);
      out.note(`${file} is written; next: ${caller} check ${shellWord(file)}`);
    }
    return found.complete ? EXIT.ok : EXIT.degraded;
  },
};

function connectionsOf(given: Given, example: string): readonly [Reachable, ...Reachable[]] {
  const url = given.argument;
  if (url === undefined) throw wrong("What to scan is missing", example);
  const connection = reachable(url);
  if (typeof connection === "string") {
    throw wrong(`"${printable(url)}" is no connection to scan: it ${connection}`, example);
  }
  const bauds = given.values.get("baud");
  const parities = given.values.get("parity");
  if (connection.kind === "serial")
    return settingsOf(connection, url, { bauds, parities }, example);
  if (bauds === undefined && parities === undefined) return [connection];
  throw wrong("--baud and --parity are for serial:// lines", example);
}

/** Unit ids in the order in which they were named, each once. */
function unitsOf(given: Given, connection: Reachable, example: string): number[] {
  const [least, most] = isLine(connection) ? [1, 247] : [0, 255];
  const units = (given.values.get("units") ?? ["1-247"]).flatMap((text) => {
    const [, first = "", last = first] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === "" || from < least || to > most || from > to) {
      const range = `from ${String(least)} to ${String(most)}`;
      throw wrong(`--units takes ids ${range}, such as 1-10,20, not "${printable(text)}"`, example);
    }
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
  return [...new Set(units)];
}

function timeoutOf(given: Given, connection: Reachable, example: string): number {
  const text = valueOf(given, "timeout") ?? (connection.kind === "serial" ? "500" : "1000");
  const [, digits] = /^(\d{1,5})(?:ms)?$/.exec(text) ?? [];
  const timeout = Number(digits);
  if (timeout >= 10 && timeout <= 10_000) return timeout;
  throw wrong(`--timeout takes ms from 10 to 10000, not "${printable(text)}"`, example);
}

async function scanned(
  connections: readonly [Reachable, ...Reachable[]],
  unitIds: readonly number[],
  timeout: number,
  { out }: Context,
): Promise<Scan> {
  const signal = stopSignal();
  const { scan: begin } = await import("../app/scan.ts");
  const total = connections.length * unitIds.length;
  const settings = connections.length === 1 ? "" : ` in ${String(connections.length)} settings`;
  const about = `asking ${count(unitIds.length, "unit")}${settings}, one request each; Ctrl-C ends it`;
  let done = 0;
  const progress = {
    listens: listening(out),
    asking: (connection: Reachable, unitId: number) => {
      // Not before: the endpoint may be somebody else's.
      if (done++ === 0) out.note(about);
      out.progress(`${connection.url} unit ${String(unitId)}, ${String(done)} of ${String(total)}`);
    },
    found: (unit: FoundUnit) => {
      const said = aboutOf(unit);
      const text = `unit ${String(unit.unitId)} at ${unit.connection}: ${answerText(unit)}`;
      out.note(printable(said === "" ? text : `${text}, ${said}`));
    },
  };
  const found = await begin({ connections, unitIds, timeout, signal, progress });
  out.progress("");
  for (const line of doubts(found, connections[0], unitIds, timeout)) out.note(printable(line));
  if (found.trouble !== undefined) out.note(printable(`ended early: ${found.trouble}`));
  return found;
}

function lines({ units, complete }: Scan, asked: number): string[] {
  const head = ["unit", "connection", "answers", "rtt", "says it is", "fits, as far as was read"];
  const rows = units.map((unit) => {
    const { unitId, connection, rtt } = unit;
    return [
      String(unitId),
      connection,
      answerText(unit),
      `${String(rtt)} ms`,
      aboutOf(unit) || "-",
      fitsText(unit),
    ];
  });
  return [
    ...columns([head, ...rows]),
    ...(isOneDevice(units, asked)
      ? [
          "Every unit asked answers alike: most likely one device that does not look at the unit id.",
        ]
      : []),
    ...(complete ? [] : ["It was ended before all units were asked."]),
  ];
}
