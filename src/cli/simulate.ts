/** `simulate`: simulated devices to point things at. */
import { resolve } from "node:path";
import { similar } from "../config/similar.ts";
import type { ParsedConnection } from "../config/connection.ts";
import type { SerialConnection } from "../core/model.ts";
import { MODELS } from "../core/models.ts";
import type { Simulated, SimulateOptions, Source } from "../app/simulate.ts";
import { wrong } from "./arguments.ts";
import { columns } from "./columns.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
import { JSON_FLAG } from "./node-options.ts";
import { printable } from "./printable.ts";
import { mbpollLine, readLine } from "./simulate-lines.ts";
import { aborted, stopSignal } from "./stop-signal.ts";

const OPTIONS: readonly Option[] = [
  { name: "profile", value: "NAME", about: "Serve the points of a profile, or of a profile file" },
  {
    name: "image",
    value: "FILE",
    many: true,
    about: "Serve a register image as it is; one for each table",
  },
  {
    name: "unit",
    value: "ID",
    many: true,
    about: "Unit ids; default any over TCP, 1 on a serial line",
  },
  { name: "faults", value: "FILE", about: "Misbehave as a fault script says" },
  { name: "seed", value: "TEXT", about: "Other values; the same seed shows the same ones" },
  { name: "host", value: "ADDRESS", about: "Address to listen on; default 127.0.0.1" },
  { name: "port", value: "PORT", about: "Port to listen on; default 5020" },
  {
    name: "serial",
    value: "PATH",
    about: "Answer on a serial line, or a pseudo terminal, instead",
  },
  { name: "baud", value: "RATE", about: "Of the serial line; default 19200" },
  { name: "parity", value: "PARITY", about: "Of the serial line: none, even or odd; default even" },
  JSON_FLAG,
];

/** The command. */
export const simulate: Command = {
  name: "simulate",
  argument: "MODEL",
  about: `Serve a simulated device over Modbus: ${MODELS.join(", ")}, a profile or an image`,
  options: OPTIONS,
  run: async (given, context) => {
    const stop = stopSignal();
    const { parseConnection, simulate: serve } = await import("../app/simulate.ts");
    const options = optionsOf(given, context.caller, parseConnection);
    const simulated = await serve(options);
    const name = nameOf(options.source);
    if (given.flags.has("json")) context.out.line(json(name, simulated));
    else for (const line of banner(name, simulated, context)) context.out.line(printable(line));
    try {
      await Promise.race([aborted(stop), simulated.lost]);
    } finally {
      await simulated.close();
    }
    if (!given.flags.has("json")) context.out.line(summary(simulated));
    return 0;
  },
};

function json(name: string, { url, units, rows }: Simulated): string {
  return JSON.stringify({ url, model: name, units, registers: columns(rows) });
}

function banner(name: string, { url, units, rows, first }: Simulated, { caller }: Context) {
  const unit = units === "any" ? 1 : (units[0] ?? 1);
  const ids = units === "any" ? "any unit id" : `unit ${units.join(", ")}`;
  const isLine = url.startsWith("serial:");
  return [
    `${name} at ${url}, ${ids}, until interrupted`,
    ...columns(rows).map((line) => `  ${line}`),
    isLine ? "read it from the other end of the line, OTHER-END:" : "read it:",
    `  ${readLine(url, unit, first, caller)}`,
    `  ${mbpollLine(url, unit, first)}`,
  ];
}

function summary(simulated: Simulated): string {
  const { requests, faults } = simulated.counts();
  const met = faults === 0 ? "" : `, ${String(faults)} of them met a fault`;
  return `${String(requests)} ${requests === 1 ? "request" : "requests"} came${met}`;
}

type Parse = (text: string) => ParsedConnection;

function optionsOf(given: Given, caller: string, parse: Parse): SimulateOptions {
  const path = valueOf(given, "serial");
  const where = path === undefined ? networkOf(given, caller) : lineOf(path, given, caller, parse);
  return {
    source: sourceOf(given, caller),
    units: unitsOf(given, caller, path !== undefined),
    seed: valueOf(given, "seed"),
    faults: valueOf(given, "faults"),
    where,
  };
}

function nameOf(source: Source): string {
  return source.kind === "images" ? source.files.join(", ") : source.name;
}

/** One of a model, a profile and images. */
function sourceOf(given: Given, caller: string): Source {
  const profile = valueOf(given, "profile");
  const images = given.values.get("image");
  const named = [given.argument, profile, images].filter((each) => each !== undefined);
  if (named.length > 1) {
    throw wrong("Only one of MODEL, --profile and --image can be served", `${caller} simulate`);
  }
  if (profile !== undefined) return { kind: "profile", name: profile };
  if (images !== undefined) return { kind: "images", files: images };
  const name = given.argument ?? MODELS[0];
  if (MODELS.some((model) => model === name)) return { kind: "model", name };
  const guess = similar(name, MODELS);
  const hint = guess === undefined ? "" : `; did you mean ${guess}?`;
  const text = `There is no simulated device "${printable(name)}"${hint}`;
  throw wrong(text, `${caller} simulate ${MODELS[0]}`);
}

/** Unit ids: 1 to 247 on a serial line (Modbus over Serial Line 2.2), 0 to 255 over TCP. */
function unitsOf(given: Given, caller: string, isLine: boolean): readonly number[] | undefined {
  const written = given.values.get("unit");
  const [least, most] = isLine ? [1, 247] : [0, 255];
  return written?.map((text) => {
    const id = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
    if (id >= least && id <= most) return id;
    const range = `from ${String(least)} to ${String(most)}`;
    throw wrong(
      `--unit takes ids ${range}, not "${printable(text)}"`,
      `${caller} simulate --unit 1,2`,
    );
  });
}

function networkOf(given: Given, caller: string) {
  refuse(given, ["baud", "parity"], "belongs to --serial", `${caller} simulate --serial PATH`);
  const text = valueOf(given, "port") ?? "5020";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return { host: valueOf(given, "host") ?? "127.0.0.1", port };
  throw wrong(
    `--port takes a number up to 65535, not "${printable(text)}"`,
    `${caller} simulate --port 5020`,
  );
}

function lineOf(path: string, given: Given, caller: string, parse: Parse): SerialConnection {
  const example = `${caller} simulate --serial /dev/ttyUSB0 --baud 9600`;
  refuse(given, ["host", "port"], "does not go with --serial", example);
  const settings = ["baud", "parity"].flatMap((name) => {
    const value = valueOf(given, name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const query = settings.length === 0 ? "" : `?${settings.join("&")}`;
  const parsed = parse(`serial://${resolve(path)}${query}`);
  if ("connection" in parsed && parsed.connection.kind === "serial") return parsed.connection;
  throw wrong(`The line ${"fault" in parsed ? parsed.fault : "is none"}`, example);
}

function refuse(given: Given, names: readonly string[], why: string, next: string): void {
  const found = names.find((name) => given.values.has(name));
  if (found !== undefined) throw wrong(`--${found} ${why}`, next);
}
