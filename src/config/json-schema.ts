/** The schemas for editors. */
import { z } from "zod";
import { profileSchema } from "./schema-profile.ts";
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
  // Substitutions are allowed wherever a scalar is limited: they are strings until edgepoll starts.
  return { ...changeScalars(exported, widen), definitions: { substitution: definition } };
}

/** A profile as JSON Schema; it takes nothing from outside. */
export function profileJsonSchema(): object {
  const exported: Json = { ...z.toJSONSchema(profileSchema, { io: "input", target: "draft-7" }) };
  return changeScalars(exported, (scalar) => scalar);
}

type Change = (scalar: Json) => Json;

function changeScalars(schema: Json, change: Change): Json {
  const { properties, items, anyOf, ...rest } = schema;
  const changed: Json = isScalar(rest) ? change(rest) : rest;
  if (isJson(properties)) changed["properties"] = changeProperties(properties, change);
  if (isJson(items)) changed["items"] = changeScalars(items, change);
  if (Array.isArray(anyOf)) {
    changed["anyOf"] = anyOf.filter(isJson).map((one) => changeScalars(one, change));
  }
  return changed;
}

function changeProperties(properties: Json, change: Change): Json {
  const changed = Object.entries(properties).map(([key, value]) => {
    if (!isJson(value)) return [key, value] as const;
    const isText = SOURCE_TEXT_KEYS.includes(key) && value["type"] === "string";
    const own = isText ? { ...value, type: ["string", "integer"] } : value;
    return [key, changeScalars(own, change)] as const;
  });
  return Object.fromEntries(changed);
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
