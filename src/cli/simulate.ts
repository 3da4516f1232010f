/** `simulate`: a simulated device to point things at. */
import { similar } from "../config/similar.ts";
import { MODELS } from "../core/models.ts";
import { wrong } from "./arguments.ts";
import { valueOf, type Command, type Given, type Option } from "./command.ts";
import { JSON_FLAG } from "./node-options.ts";
import { printable } from "./printable.ts";
import { shellWord } from "../core/shell.ts";
import { aborted, stopSignal } from "./stop-signal.ts";

const HOST: Option = {
  name: "host",
  value: "ADDRESS",
  about: "Address to listen on; default 127.0.0.1",
};
const PORT: Option = { name: "port", value: "PORT", about: "Port to listen on; default 5020" };

/** The command. */
export const simulate: Command = {
  name: "simulate",
  argument: "MODEL",
  about: `Serve a simulated device over Modbus/TCP: ${MODELS.join(", ")}`,
  options: [HOST, PORT, JSON_FLAG],
  run: async (given, { out, caller }) => {
    const model = modelOf(given.argument ?? MODELS[0], caller);
    const host = valueOf(given, "host") ?? "127.0.0.1";
    const port = portOf(given, caller);
    const stop = stopSignal();
    const { simulate: serve } = await import("../app/field.ts");
    const simulated = await serve({ model, host, port });
    const { url, registers } = simulated;
    if (given.flags.has("json")) {
      out.line(JSON.stringify({ url, model, registers }));
    } else {
      out.line(`${model} at ${url}, any unit id, until interrupted`);
      for (const line of registers) out.line(`  ${line}`);
      out.line("read it:");
      out.line(`  ${mbpollLine(url)}`);
    }
    await aborted(stop);
    await simulated.close();
    return 0;
  },
};

/** Reads the first value once. mbpoll counts from 1, and takes the low word first unless told. */
export function mbpollLine(url: string): string {
  const [, host = "", port = ""] = /^tcp:\/\/\[?(.*?)\]?:(\d+)$/.exec(url) ?? [];
  return `mbpoll -m tcp -p ${port} -a 1 -t 3:float -B -r 1 -c 1 -1 ${shellWord(host)}`;
}

function modelOf(name: string, caller: string): string {
  if (MODELS.some((model) => model === name)) return name;
  const guess = similar(name, MODELS);
  const hint = guess === undefined ? "" : `; did you mean ${guess}?`;
  const text = `There is no simulated device "${printable(name)}"${hint}`;
  throw wrong(text, `${caller} simulate ${MODELS[0]}`);
}

function portOf(given: Given, caller: string): number {
  const text = valueOf(given, "port") ?? "5020";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw wrong(
    `--port takes a number up to 65535, not "${printable(text)}"`,
    `${caller} simulate --port 5020`,
  );
}
