/** docs/configuration.md, drawn from the schema of the configuration. */
import { z } from "zod";
import { bare } from "../../src/config/schema-at.ts";
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
- Editors that know JSON Schema complete and check the file when it begins with \`# yaml-language-server: $schema=<path>/edgepoll.schema.json\`. The schema is \`config/edgepoll.schema.json\`.
- Durations are a whole number and its unit: \`250ms\`, \`10s\`, \`5m\`, \`1h\`, \`7d\`, \`5y\`. Sizes likewise: \`256MiB\`, \`1GiB\`.
- Ids of gateways, devices and points have 1 to 63 lower-case letters, digits, \`-\` and \`_\`, and begin with a letter or digit. \`id: 02\` is the text 02.
- Any value may come from outside: \`\${ENV:NAME}\`, \`\${ENV:NAME:-default}\`, \`\${FILE:path}\` (relative to the configuration), \`\${CRED:name}\` (a systemd credential). What is filled in is never printed.
- Relative paths are relative to the configuration file.
- A change takes effect at the next start of the node.

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
  ["log", "log", ""],
  ["defaults", "defaults", ""],
  [
    "gateways[]",
    "gateways",
    "Gateways that name the same host and port, or the same serial line, share one lane: one request at a time goes to an endpoint. They must agree on what belongs to it: the settings in `connection`, `pause`, `closeAfterPoll` and `maxAnswerTime`. A serial line has 8 data bits; where nothing is said it is 19200 baud with even parity and one stop bit, without parity two (Modbus over Serial Line 2.5.1).",
  ],
  [
    "gateways[].devices[]",
    "devices",
    "An `interval` given for a point counts before that of its device, and that before the gateway's and the default. Points of one gateway with the same interval are polled together: they are one schedule.",
  ],
  [
    "gateways[].devices[].points[]",
    "points",
    "Either `table` and `address`, or `reference`. `value = raw × scale + offset`. What each type takes stands under [types](#types).",
  ],
  [
    "gateways[].probe",
    "probe",
    "Of a gateway or of `defaults`: `never`, or these keys. The distance doubles with each probe that is not answered, up to `max`; a probe may come a tenth of it early. Where neither says anything, `first` is 30s and `max` 5m.",
  ],
  [
    "gateways[].merge",
    "merge",
    "Of a gateway or a device. Points that lie close enough together share a request; what lies between them is read and thrown away.",
  ],
];

const TYPES_INTRO = `## types

The JSON type of a value is fixed by the configuration. With \`enum\` it is text: the label, or the digits of a number that has none, which is then uncertain. A long integer that is scaled is a number, and loses what a double can't hold.

- \`bool\` in \`holding\` and \`input\` needs \`bit\`; it takes neither \`scale\`, \`offset\`, \`decimals\`, \`min\` and \`max\` nor \`enum\` and \`invalid\`. Nor do \`string\` and \`raw\`, which need \`length\`.
- \`enum\` and \`invalid\` are about the raw value, \`min\` and \`max\` about the value. \`enum\` is for whole numbers, and takes the place of \`scale\`, \`offset\`, \`decimals\`, \`min\` and \`max\`.
- A value outside \`min\` and \`max\` is uncertain with \`out_of_range\`. One of \`invalid\`, or BCD digits beyond 9, is an error with the reason \`invalid\`; NaN and infinity are \`not_a_number\`.
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
  return [INTRO, ...sections.map((text) => `${text}\n`), types, `${ends}\n`].join("\n");
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
  return Object.entries(shapeOf(schema)).map(([key, value]) => {
    return { path: path === "" ? key : `${path}.${key}`, schema: value, mark: markOf(value) };
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
