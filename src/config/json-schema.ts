/** The schema for editors. */
import { z } from "zod";
import { configSchema } from "./schema.ts";
import { SOURCE_TEXT_KEYS } from "./schema-kinds.ts";

type Json = { [key: string]: unknown };

const SUBSTITUTION = { $ref: "#/definitions/substitution" };

const definition = {
  description:
    "A value from outside: ${ENV:NAME}, ${ENV:NAME:-default}, ${FILE:path} or ${CRED:name}.",
  type: "string",
  pattern: "\\$\\{(ENV|FILE|CRED):",
};

/** The configuration as JSON Schema (draft 7, which YAML editors read best). */
export function configJsonSchema(): object {
  const exported: Json = { ...z.toJSONSchema(configSchema, { io: "input", target: "draft-7" }) };
  return { ...widenAll(exported), definitions: { substitution: definition } };
}

/** Allows substitutions wherever a scalar is limited: they are strings until edgepoll starts. */
function widenAll(schema: Json): Json {
  const { properties, items, anyOf, ...rest } = schema;
  const widened: Json = isScalar(rest) ? widen(rest) : rest;
  if (isJson(properties)) widened["properties"] = widenProperties(properties);
  if (isJson(items)) widened["items"] = widenAll(items);
  if (Array.isArray(anyOf)) widened["anyOf"] = anyOf.filter(isJson).map(widenAll);
  return widened;
}

function widenProperties(properties: Json): Json {
  const widened = Object.entries(properties).map(([key, value]) => {
    if (!isJson(value)) return [key, value] as const;
    const scalar = SOURCE_TEXT_KEYS.includes(key) && value["type"] === "string";
    return [key, widenAll(scalar ? { ...value, type: ["string", "integer"] } : value)] as const;
  });
  return Object.fromEntries(widened);
}

function widen({ description, default: fallback, ...limits }: Json): Json {
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [limits, SUBSTITUTION],
  };
}

function isScalar(schema: Json): boolean {
  const { type } = schema;
  return typeof type === "string"
    ? ["string", "integer", "number", "boolean"].includes(type)
    : Array.isArray(type);
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
