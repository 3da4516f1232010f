/** docs/configuration.md, drawn from the schema of the configuration. */
import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { bare } from "../../src/config/schema-at.ts";
import { profileSchema } from "../../src/config/schema-profile.ts";
import { configSchema } from "../../src/config/schema.ts";
import { markOf, type Mark } from "../../src/config/schema-kinds.ts";
import { POINT_TYPES, type PointType } from "../../src/core/model.ts";
import { TYPES } from "../../src/core/types.ts";

type Schema = z.core.$ZodType;

/** What a description says of the default. */
const DEFAULT = /; default: (.+?)\.(?= |$)/;

/** A key of the configuration as the page shows it. */
interface Key {
  readonly path: string;
  readonly schema: Schema;
  readonly mark: Mark | undefined;
}

const INTRO = `# Configuration

<!-- Drawn from the schema: UPDATE=1 node scripts/test.js test/docs-configuration.test.ts -->

The configuration is one YAML file. \`config/edgepoll.yaml\` in the repository is a commented example and the demo. Where edgepoll looks for the file stands in [operations.md](operations.md#where-things-are).

- \`edgepoll check <file>\` names every mistake with file, line and column and exits with 78. Unknown keys are mistakes.
- Editors that know JSON Schema complete and check the file when it begins with \`# yaml-language-server: $schema=<path>/edgepoll.schema.json\`. The schema is \`config/edgepoll.schema.json\`; that of a profile is \`config/profile.schema.json\`.
- Durations are a whole number and its unit: \`250ms\`, \`10s\`, \`5m\`, \`1h\`, \`7d\`, \`5y\`. Sizes likewise: \`256MiB\`, \`1GiB\`.
- Ids of gateways, devices and points have 1 to 63 lower-case letters, digits, \`-\` and \`_\`, and begin with a letter or digit. \`id: 02\` is the text 02.
- Any value may come from outside: \`\${ENV:NAME}\`, \`\${ENV:NAME:-default}\`, \`\${FILE:path}\` (relative to the configuration), \`\${CRED:name}\` (a systemd credential). What is filled in is never printed.
- Relative paths are relative to the configuration file.
- A change takes effect with \`edgepoll reload\` or SIGHUP (\`systemctl reload\`); keys that need a restart are named then. Otherwise it takes effect at the next start of the node.

The smallest configuration that polls something:

\`\`\`yaml
gateways:
  - id: boiler-room
    connection: tcp://10.0.0.5:502
    devices:
      - id: plc
        unitId: 1
        points:
          - { id: power, table: holding, address: 0, type: float32, unit: kW }
\`\`\`
`;

/** Sections in the order of the page, and what is said of them beside the keys. */
const SECTIONS: readonly (readonly [path: string, title: string, text: string])[] = [
  ["", "Top level", ""],
  ["mqtt", "mqtt", ""],
  ["mqtt.embedded", "mqtt.embedded", "Only for `broker: embedded`."],
  ["mqtt.spool", "mqtt.spool", ""],
  ["store", "store", ""],
  [
    "store.keep",
    "store.keep",
    "Durations from a day to 100 years. What goes when, and what stays, stands in [operations.md](operations.md#what-is-kept).",
  ],
  ["log", "log", ""],
  [
    "budget",
    "budget",
    "Each schedule takes a share of its endpoint's time; `edgepoll check --plan` [shows it](operations.md#look-before-it-runs).",
  ],
  ["defaults", "defaults", ""],
  [
    "gateways[]",
    "gateways",
    "Gateways that name the same host and port, or the same serial line, share one lane: one request at a time goes to an endpoint. They must agree on what belongs to it: the settings in `connection`, `pause`, `closeAfterPoll` and `maxAnswerTime`. A serial line has 8 data bits; where nothing is said it is 19200 baud with even parity and one stop bit, without parity two (Modbus over Serial Line 2.5.1). Name a line by its path under `/dev/serial/by-id`, which stays when the adapter is plugged in elsewhere.",
  ],
  [
    "gateways[].devices[]",
    "devices",
    "An `interval` given for a point counts before that of its device, and that before the gateway's and the default. Points of one gateway with the same interval are polled together: they are one schedule.",
  ],
  [
    "gateways[].devices[].points[]",
    "points",
    "Either `table` and `address`, or `reference`. `value = raw × scale + offset`, with `scaleRegister` also times the power of ten that stands there. What each type takes stands under [types](#types).",
  ],
  [
    "gateways[].probe",
    "probe",
    "Of a gateway or of `defaults`: `never`, or these keys. The distance doubles with each probe that is not answered, up to `max`; a probe may come a tenth of it early. Where neither says anything, `first` is 30s and `max` 5m.",
  ],
  [
    "gateways[].pause",
    "pause",
    "What a slow device needs before it is asked, counted from the end of the request before, whoever sent it. A pause is taken on the lane and counts as time of the slot: `edgepoll check --plan` adds it, and a retry that fits only without it is not sent. A connection that `closeAfterPoll` closes is made anew, with its pause, by the next poll.",
  ],
  [
    "gateways[].tls",
    "gateways.tls",
    "Only for `tls://`, TLS 1.2 or newer. The certificate of the other side is always verified: by its authority, its dates, and the host in `connection`, which it must name. `cert` and `key` are given together, for a gateway that asks for them; the key has no password. The files are read at each connect, so that a renewed certificate counts from the next one on.",
  ],
  [
    "gateways[].merge",
    "merge",
    "Of a gateway or a device. Points share a request when that takes less time than another one; what lies between them is read and thrown away. On a serial line the time of both is known: a gap of g registers takes 2g characters, another request 13, two silences, a pause and about 20 ms until the device answers, so that 18 registers are read at 9600 baud, and the longest request decides at 115200. Over a network a gap takes no time that could be told beforehand, another request always one: there `maxGap` alone decides, and without it 8, which is what pays on a line of 9600 baud behind a converter. Plans follow from the configuration, not from measured times: what `edgepoll check --plan` shows is what is sent.",
  ],
];

const PROFILES = `## Profiles

A profile holds the points of a model of device once for all devices of that model, on this and other sites. A device names it with \`profile\`: a profile that comes with edgepoll by its name (\`config/profiles/edgepoll/energy-meter.yaml\` is \`edgepoll/energy-meter\`), a file of your own by its path, which begins with \`./\`, \`../\` or \`/\` or ends in \`.yaml\` and is relative to the configuration.

Those of real meters were written from published tables, named in each file, and are held to register images; none was tried on the meter itself. Compare one reading with the display before you rely on it. Points have the same ids in all of them (\`voltage-l1\`, \`power\`, \`energy-import\`), energies are in kWh.

${profileTable()}

\`\`\`yaml
# meter.yaml: the manual's table of registers, one line each
merge: { maxRegisters: 40 } # what the model takes in one request
points:
  - { id: power, table: input, address: 12, type: float32, unit: W }
  - { id: energy, table: input, address: 72, type: float32, unit: kWh, interval: 1m }
\`\`\`

\`\`\`yaml
devices:
  - { id: meter-1, unitId: 1, profile: ./meter.yaml }
  - id: meter-2
    unitId: 2
    profile: ./meter.yaml
    points: # one more, and one in place of the profile's
      - { id: relay, table: coil, address: 0, type: bool }
      - { id: power, table: input, address: 12, type: float32, unit: kW, scale: 0.001 }
\`\`\`

[profiles.md](profiles.md) shows how to write one, from the data sheet to the test, and how to have one made of a device with SunSpec.

- Points have the keys of a device's [points](#points). A point of the device with the same id takes the place of the profile's as a whole.
- An interval that a point does not give is that of its device.
- Each limit of \`merge\` is the device's, else the profile's, else the gateway's, else the default.
- A profile is the same for every device: it takes nothing from outside (\`\${ENV:NAME}\` and the like).
- It is read with the configuration: a change takes effect with it, and changes the \`config\` of \`node/info\`. It may have 1 MiB, and all devices together at most 500,000 points.

| key | value | default | meaning |
| --- | --- | --- | --- |
`;

const TYPES_INTRO = `## types

The JSON type of a value is fixed by the configuration. With \`enum\` it is text: the label, or the digits of a number that has none, which is then uncertain. A long integer that is scaled is a number, and loses what a double can't hold.

- \`bool\` in \`holding\` and \`input\` needs \`bit\`; it takes neither \`scale\`, \`offset\`, \`decimals\`, \`min\` and \`max\` nor \`enum\` and \`invalid\`. Nor do \`string\` and \`raw\`, which need \`length\`.
- \`enum\` and \`invalid\` are about the raw value, \`min\` and \`max\` about the value. \`enum\` is for whole numbers, and takes the place of \`scale\`, \`offset\`, \`decimals\`, \`min\` and \`max\`.
- A value outside \`min\` and \`max\` is uncertain with \`out_of_range\`. One of \`invalid\`, BCD digits beyond 9, or one whose \`scaleRegister\` holds no number from -10 to 10, is an error with the reason \`invalid\`; NaN and infinity are \`not_a_number\`.
- \`string\` ends at the first NUL; spaces around it go. It is UTF-8 where the bytes are, else Latin-1. \`raw\` is lower-case hexadecimal.
- \`order\` also holds within one register: DCBA and BADC swap its bytes before \`bit\` or \`byte\` is looked at.

| type | registers | raw value | JSON |
| --- | --- | --- | --- |
`;

/** The whole page. */
export function configurationPage(): string {
  const sections = SECTIONS.map(([path, title, text]) => {
    const rows = keysAt(path).filter(({ mark }) => mark === undefined);
    const head = [`## ${title}`, "", ...(text === "" ? [] : [text, ""])];
    const table = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"];
    return [...head, ...table, ...rows.map(rowOf)].join("\n");
  });
  const later = marked("later");
  const refused = marked("refused");
  const ends = [
    "## Keys without effect in this version",
    "",
    "They are checked and accepted, and nothing comes of them yet. `edgepoll check` and `edgepoll start` name those that are given.",
    "",
    ...later,
    "",
    "## Keys refused in this version",
    "",
    "They protect something or are relied on, so that they are a mistake until they work.",
    "",
    ...refused,
  ].join("\n");
  const types = TYPES_INTRO + POINT_TYPES.map(typeRow).join("");
  const profiles = `${PROFILES + keysOf(profileSchema, "profile").map(rowOf).join("\n")}\n`;
  const parts = [INTRO, ...sections.map((text) => `${text}\n`), profiles, types, `${ends}\n`];
  return parts.join("\n");
}

const SHOWN = {
  truth: ["a bit", "boolean"],
  real: ["a floating-point number", "number"],
  text: ["text", "string"],
} as const;

function typeRow(type: PointType): string {
  const row = TYPES[type];
  const [raw, json] =
    row.kind === "integer" || row.kind === "long"
      ? [
          `${String(row.least)} to ${String(row.most)}`,
          row.kind === "long" ? "string; scaled: number" : "number",
        ]
      : SHOWN[row.kind];
  const registers = row.registers === "length" ? "`length`" : String(row.registers);
  return `| \`${type}\` | ${registers} | ${raw} | ${json} |\n`;
}

/** The keys of the section at a path such as `gateways[].devices[]`. */
function keysAt(path: string): Key[] {
  const steps = path === "" ? [] : path.split(".");
  let schema: Schema = configSchema;
  for (const step of steps) {
    const child = shapeOf(schema)[step.replace("[]", "")];
    if (child === undefined) throw new Error(`the schema has no ${path}`);
    schema = step.endsWith("[]") ? elementOf(child) : child;
  }
  return keysOf(schema, path);
}

function keysOf(section: Schema, path: string): Key[] {
  return Object.entries(shapeOf(section)).map(([key, schema]) => {
    return { path: path === "" ? key : `${path}.${key}`, schema, mark: markOf(schema) };
  });
}

type Shape = Readonly<Record<string, Schema>>;

function shapeOf(schema: Schema): Shape {
  const inner = bare(schema);
  if (inner instanceof z.ZodUnion) return Object.assign({}, ...inner.options.map(shapeOf)) as Shape;
  return inner instanceof z.ZodObject ? inner.shape : {};
}

function elementOf(schema: Schema): Schema {
  const inner = bare(schema);
  if (!(inner instanceof z.ZodArray)) throw new Error("not a list");
  return inner.element;
}

function rowOf({ path, schema }: Key): string {
  const name = path.slice(path.lastIndexOf(".") + 1);
  const cells = [`\`${name}\``, allowedOf(schema), defaultOf(schema), descriptionOf(schema)];
  return `| ${cells.map((cell) => cell.replace(/\|/g, "\\|")).join(" | ")} |`;
}

/** What a value may be, in the words of the error that a wrong one brings. */
function allowedOf(schema: Schema): string {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) return "section, see below";
  if (inner instanceof z.ZodArray && bare(inner.element) instanceof z.ZodObject) {
    return "list, see below";
  }
  const parsed = z.safeParse(schema, null);
  const error = parsed.error?.issues[0]?.message ?? "";
  return error
    .replace(/^must be /, "")
    .replace(/ with its unit, such as .*$/, "")
    .replace(/ \(5- and 6-digit.*$/, "")
    .replace(/, such as .*$/, "")
    .replace(/^1 to 63 lower-case .*$/, "an id")
    .replace(/^text of 1 to (\d+) .*$/, "text, at most $1 characters");
}

function defaultOf(schema: Schema): string {
  if (schema instanceof z.ZodPrefault) {
    const fallback: unknown = schema.def.defaultValue;
    return typeof fallback === "object" ? "" : `\`${JSON.stringify(fallback).replace(/"/g, "")}\``;
  }
  const [, told] = DEFAULT.exec(textOf(schema)) ?? [];
  return told ?? (schema instanceof z.ZodOptional ? "" : "required");
}

/** What the key is for; its default has a column of its own. */
function descriptionOf(schema: Schema): string {
  return textOf(schema).replace(DEFAULT, ".");
}

function textOf(schema: Schema): string {
  const description = z.globalRegistry.get(schema)?.description;
  if (description === undefined) throw new Error("a key has no description");
  return description.replace(
    /(rtu\+tcp|tcp|simulator|mqtt|ws|tls):\/\/[a-z:]*|serial:\/\/[^ ]*|edgepoll-<node>-<[^>]*>/g,
    "`$&`",
  );
}

function marked(mark: Mark): string[] {
  const keys = SECTIONS.flatMap(([path]) => keysAt(path)).filter((key) => key.mark === mark);
  return keys.map(({ path, schema }) => {
    return `- \`${path.replace(/\[\]/g, "")}\`: ${descriptionOf(schema)}`;
  });
}

/** The profiles that come with edgepoll, each with what its file says first. */
function profileTable(): string {
  const folder = new URL("../../config/profiles/", import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  const rows = names.map((name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    const what = /^# (.*?)\.(?: |\n)/.exec(text)?.[1] ?? "";
    const points = text.split("\n").filter((line) => line.startsWith("  - {")).length;
    return `| \`${name.replace(".yaml", "")}\` | ${what} | ${String(points)} |`;
  });
  return ["| profile | model | points |", "| --- | --- | --- |", ...rows].join("\n");
}
