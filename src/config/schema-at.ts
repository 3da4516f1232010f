/** From a place in the configuration to its schema. */
import { z } from "zod";
import type { Path } from "./places.ts";

type Schema = z.core.$ZodType;

/** The schema of a value without what wraps it (optional, default, conversion). */
export function bare(schema: Schema): Schema {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return bare(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? bare(schema.in) : schema;
}

/** The schema of a key or list entry, undefined if there is none of that name. */
export function childSchema(schema: Schema, key: PropertyKey): Schema | undefined {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject)
    // The parts of an object schema are schemas; zod types them loosely.
    return Object.hasOwn(inner.shape, key) ? (inner.shape[key.toString()] as Schema) : undefined;
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  if (!(inner instanceof z.ZodUnion)) return undefined;
  return inner.options
    .map((option) => childSchema(option, key))
    .find((found) => found !== undefined);
}

/** The schema at a path, undefined if the path leaves the schema. */
export function schemaAt(root: Schema, path: Path): Schema | undefined {
  return path.reduce<Schema | undefined>(
    (schema, key) => (schema === undefined ? undefined : childSchema(schema, key)),
    root,
  );
}

/** The keys a section may have; empty for anything else. */
export function keysOf(schema: Schema): string[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  return inner instanceof z.ZodUnion ? inner.options.flatMap(keysOf) : [];
}
