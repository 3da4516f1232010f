/** A profile of what a device tells by SunSpec, as the text of a file. */
import type { Point } from "../core/model.ts";
import { referenceOf } from "../core/reference.ts";
import type { FoundModel, FoundValue, SunSpecWalk } from "../core/sunspec-walk.ts";
import { reachOf } from "../core/types.ts";

const ABSENT = "the device had none when this was written: take in what it has at other times";

/**
 * The profile of a device: what it has a value of as points, all else of its models as comments.
 * `title` says what it is, on one line. Undefined when there is no value to poll.
 */
export function profileText(walk: SunSpecWalk, title: string): string | undefined {
  const { models, maxRegisters, base } = walk;
  const measuring = models.filter(({ model }) => model !== undefined && model.kind !== "common");
  const sections = measuring.map((found) => sectionOf(found, walk));
  if (sections.every(({ active }) => active === 0)) return undefined;
  const list = models.map(({ id, address }) => `${String(id)} at ${String(address)}`);
  return [
    `# ${title}.`,
    `# SunSpec from holding ${String(base)} on, models ${list.join(", ")}.`,
    "# Source: the device itself, and the definitions of its models, github.com/sunspec/models.",
    "",
    ...(maxRegisters < 125 ? [`merge: { maxRegisters: ${String(maxRegisters)} }`, ""] : []),
    "points:",
    ...sections.flatMap(({ lines }) => lines),
    "",
  ].join("\n");
}

function sectionOf({ id, address, model, values }: FoundModel, walk: SunSpecWalk) {
  const usable = values.filter(({ decoded }) => decoded !== undefined && "value" in decoded);
  const widthOf = ({ point }: FoundValue) => reachOf(point).to;
  const active = usable.filter((value) => widthOf(value) <= walk.maxRegisters);
  const wide = usable.filter((value) => widthOf(value) > walk.maxRegisters);
  const absent = values.filter((value) => !usable.includes(value));
  const isScaled = walk.models.some((found) =>
    found.values.some(({ point }) => point.scaleRegister !== undefined),
  );
  const linesOf = (some: readonly FoundValue[], why: string) =>
    some.length === 0
      ? []
      : [`  # ${why}`, ...some.map((value) => `  # ${lineOf(value, isScaled)}`)];
  const lines = [
    `  # ${model?.title ?? ""}: model ${String(id)} at ${String(address)}`,
    ...active.map((value) => `  ${lineOf(value, isScaled)}`),
    ...linesOf(wide, "too far from their scale factors for one request of this device"),
    ...linesOf(absent, ABSENT),
  ];
  return { lines, active: active.length };
}

function lineOf({ point }: FoundValue, isScaled: boolean): string {
  const keys = Object.entries(keysOf(point, isScaled)).filter(([, text]) => text !== undefined);
  return `- { ${keys.map(([key, text]) => `${key}: ${text ?? ""}`).join(", ")} }`;
}

/** A register such as 40083 looks like a reference; beside a scale register it is known for an address. */
function keysOf(point: Point, isScaled: boolean): Record<string, string | undefined> {
  const { id, table, address, type, scaleRegister, scale, unit, invalid, enum: labels } = point;
  const list = Object.entries(labels ?? {}).map(([raw, label]) => `${raw}: ${quoted(label)}`);
  return {
    id,
    ...(isScaled
      ? { table, address: String(address) }
      : { reference: referenceOf(table, address) }),
    type,
    scaleRegister: scaleRegister?.toString(),
    scale: scale?.toString(),
    unit: unit === undefined ? undefined : quoted(unit),
    invalid: invalid === undefined ? undefined : `[${invalid.join(", ")}]`,
    enum: labels === undefined ? undefined : `{ ${list.join(", ")} }`,
  };
}

/** Words that other readers of YAML take for something else get quotes. */
function quoted(text: string): string {
  return /^[A-Za-z°][A-Za-z°-]*$/.test(text) && !/^(off|on|no|yes)$/.test(text)
    ? text
    : JSON.stringify(text);
}
