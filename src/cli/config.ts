/** `config`: the schema, the values in force with their origin, or one key explained. */
import type { Effective, Explained, Origin } from "../app/config.ts";
import { similar } from "../config/similar.ts";
import { wrong } from "./arguments.ts";
import { columns } from "./columns.ts";
import type { Command, Context, Given } from "./command.ts";
import { CONFIG, JSON_FLAG, sameNode, whereOf } from "./node-options.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";

const TOPICS = ["schema", "show", "explain"] as const;

/** The command. */
export const config: Command = {
  name: "config",
  argument: "schema | show | explain",
  more: "KEY, with explain",
  about: "The schema, the values in force and where they come from, or one key",
  options: [CONFIG, JSON_FLAG],
  run: async (given, context) => {
    const topic = topicOf(given, context.caller);
    const [key, surplus] = given.more;
    const stray = topic === "explain" ? surplus : key;
    if (stray !== undefined) {
      const text = `config ${topic} does not take the argument "${printable(stray)}"`;
      throw wrong(text, `${context.caller} config --help`);
    }
    if (topic === "show") return show(given, context);
    if (topic === "explain") return explainKey(key, given, context);
    const { configJsonSchema } = await import("../app/config.ts");
    context.out.line(JSON.stringify(configJsonSchema(), undefined, 2));
    return 0;
  },
};

function topicOf({ argument = "" }: Given, caller: string): (typeof TOPICS)[number] {
  const topic = TOPICS.find((known) => known === argument);
  if (topic !== undefined) return topic;
  const guess = similar(argument, TOPICS);
  const text =
    argument === ""
      ? "What to do is missing; there are schema, show and explain"
      : `config has no "${printable(argument)}"; there are schema, show and explain`;
  throw wrong(text, `${caller} config ${guess ?? "show"}`);
}

async function show(given: Given, { out, paint }: Context): Promise<number> {
  const { readEffective } = await import("../app/config.ts");
  const { path, values } = readEffective(whereOf(given));
  if (given.flags.has("json")) {
    out.line(JSON.stringify({ path, values }));
    return 0;
  }
  out.line(paint("bold", printable(path)));
  for (const line of columns(values.map((value) => row(value, paint)))) out.line(line);
  return 0;
}

function row({ key, value, schedule, origin }: Effective, paint: Paint): string[] {
  const shown = value === "" ? "-" : printable(value);
  const scope = schedule === undefined ? "" : `, for ${schedule}`;
  return [printable(key), shown, paint("dim", printable(originText(origin) + scope))];
}

function originText(origin: Origin): string {
  switch (origin.kind) {
    case "file":
      return `line ${place(origin)}`;
    case "outside":
      return `${origin.from.join(", ")}; line ${place(origin)}`;
    case "profile":
      return `profile ${origin.profile}, line ${place(origin)}`;
    case "half-interval":
      return "half the interval";
    case "inherited":
      return `from ${origin.from}`;
    case "default":
      return "default";
  }
}

function place({ line, column }: { line: number; column: number }): string {
  return `${String(line)}:${String(column)}`;
}

async function explainKey(
  key: string | undefined,
  given: Given,
  { out, paint, caller }: Context,
): Promise<number> {
  if (key === undefined) {
    const next = `${caller} config explain gateways.devices.points.scale`;
    throw wrong("config explain needs a key", next);
  }
  const { explain } = await import("../app/config.ts");
  const answer = explain(key);
  if ("unknown" in answer) {
    const [first] = answer.meant;
    const guess = answer.meant.length === 0 ? "" : `; did you mean ${answer.meant.join(", ")}?`;
    const text = `There is no key ${printable(answer.unknown)}${guess}`;
    const next = first === undefined ? `config show${sameNode(given)}` : `config explain ${first}`;
    throw wrong(text, `${caller} ${next}`);
  }
  const { found } = answer;
  if (given.flags.has("json")) out.line(JSON.stringify(found));
  else for (const line of explainedLines(found, paint)) out.line(line);
  return 0;
}

function explainedLines(found: Explained, paint: Paint): string[] {
  const { key, meaning, kind, allowed, unit, required, mark, keys } = found;
  const rows = [
    ["meaning", meaning],
    ["value", kind === "value" ? allowed : kind],
    ["unit", unit ?? ""],
    [
      "default",
      found.default ?? (required ? "none, it is required" : kind === "value" ? "none" : ""),
    ],
    ["state", mark === undefined ? "" : STATES[mark]],
  ].filter(([, text]) => text !== "");
  const below = columns(keys.map((child) => [`  ${child.key}`, child.meaning]));
  return [paint("bold", key), ...columns(rows), ...(below.length === 0 ? [] : ["keys", ...below])];
}

const STATES = {
  later: "accepted, without effect in this version",
  refused: "refused in this version, because it would be relied on",
};
