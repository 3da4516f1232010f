/** From YAML nodes to the values that are checked: source text of ids, values from outside. */
import { isMap, isPair, isScalar, isSeq } from "yaml";
import type { Scalar } from "yaml";
import { z } from "zod";
import type { Path } from "./places.ts";
import { bare, schemaAt } from "./schema-at.ts";
import { configSchema } from "./schema.ts";
import { SOURCE_TEXT_KEYS } from "./schema-kinds.ts";
import { hasSubstitution, substitute } from "./substitute.ts";
import type { Outside } from "./substitute.ts";

/** Whole numbers of up to 64 bits as YAML has them. */
const LONG = /^([-+]?\d{1,20}|0x[\da-f]{1,16}|0o[0-7]{1,22})$/i;

/** A scalar that could not be given its value, and why. */
export interface Unfilled {
  readonly path: Path;
  readonly fault: string;
}

const NOTHING_OUTSIDE =
  "takes nothing from outside: a profile is the same for every device. Write the value here, or the point in the configuration";

/** Gives every scalar below a node its final value, in place. Returns those that have none. */
export function fillValues(
  node: unknown,
  outside: Outside | undefined,
  path: Path = [],
): Unfilled[] {
  if (isScalar(node)) return fillScalar(node, outside, path);
  if (isMap(node)) {
    return node.items
      .filter((pair) => isPair(pair))
      .flatMap(({ key, value }) =>
        isScalar(key) ? fillValues(value, outside, [...path, String(key.value)]) : [],
      );
  }
  return isSeq(node)
    ? node.items.flatMap((item, index) => fillValues(item, outside, [...path, index]))
    : [];
}

function fillScalar(scalar: Scalar, outside: Outside | undefined, path: Path): Unfilled[] {
  const { value, source } = scalar;
  if (typeof value === "string" && hasSubstitution(value)) {
    if (outside === undefined) return [{ path, fault: NOTHING_OUTSIDE }];
    const substituted = substitute(value, outside);
    if ("fault" in substituted) return [{ path, fault: substituted.fault }];
    scalar.value = inItsType(substituted.text, path);
  } else if (path.at(-2) === "invalid" && isInexact(value) && LONG.test(source ?? "")) {
    scalar.value = String(BigInt(source ?? value));
  } else if (SOURCE_TEXT_KEYS.includes(String(path.at(-1))) && value !== null) {
    scalar.value = typeof value === "string" ? value : source;
  }
  return [];
}

/** A whole number that was rounded when it was read: raw values have up to 64 bits. */
function isInexact(value: unknown): value is number {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** Text from outside as the number or boolean that its key wants, so that `port: ${ENV:PORT}` works. */
function inItsType(text: string, path: Path): unknown {
  const schema = schemaAt(configSchema, path);
  const inner = schema === undefined ? undefined : bare(schema);
  if (inner instanceof z.ZodNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (inner instanceof z.ZodBoolean && /^(true|false)$/.test(text)) return text === "true";
  return text;
}
