/** What of a configuration with mistakes still holds, so that all mistakes are found in one run. */
import { z } from "zod";
import { bare, childSchema } from "./schema-at.ts";
import { markOf } from "./schema-kinds.ts";
import type { Mark } from "./schema-kinds.ts";
import type { Path } from "./places.ts";

type Schema = z.core.$ZodType;

/** Settings of which any part can be absent because it is wrong. */
export type Draft<T> = T extends readonly (infer E)[]
  ? (Draft<E> | undefined)[]
  : T extends object
    ? { [K in keyof T]?: Draft<T[K]> | undefined }
    : T;

/** A key that the user gave and that does not work yet. */
export interface Marked {
  readonly path: Path;
  readonly mark: Mark;
}

/** The parts of a plain value that fit the schema, which is that of a section. */
export function draftOf<T>(schema: z.ZodType<T>, value: unknown): Draft<T> {
  // The schema decides the shape: `fitting` keeps only what fits, at the place where it belongs.
  return (fitting(schema, value) ?? {}) as Draft<T>;
}

function fitting(schema: Schema, value: unknown): unknown {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject && isRecord(value)) {
    // The parts of an object schema are schemas; zod types them loosely.
    const shape = Object.entries(inner.shape) as [string, Schema][];
    const parts = shape.map(([key, child]) => [key, fitting(child, value[key])]);
    return Object.fromEntries(parts);
  }
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((entry) => fitting(inner.element, entry));
  }
  if (inner instanceof z.ZodRecord && isRecord(value)) {
    const { keyType, valueType } = inner;
    const known = Object.entries(value).filter(([key]) => z.safeParse(keyType, key).success);
    return Object.fromEntries(known.map(([key, entry]) => [key, fitting(valueType, entry)]));
  }
  const parsed = z.safeParse(schema, value);
  return parsed.success ? parsed.data : undefined;
}

/** The marked keys that stand in a plain value; what lies below one is not looked at. */
export function markedKeys(root: Schema, value: unknown): Marked[] {
  const marked: Marked[] = [];
  const path: PropertyKey[] = [];
  // What an anchor stands for is one object wherever it is used: without marks it is looked through once.
  const clean = new WeakMap<object, Schema>();
  const look = (part: unknown, schema: Schema): void => {
    const mark = markOf(schema);
    if (mark !== undefined) {
      marked.push({ path: [...path], mark });
      return;
    }
    if (typeof part !== "object" || part === null || clean.get(part) === schema) return;
    const before = marked.length;
    const isList = Array.isArray(part);
    for (const [key, child] of Object.entries(part)) {
      const name = isList ? Number(key) : key;
      const below = childSchema(schema, name);
      if (below === undefined) continue;
      path.push(name);
      look(child, below);
      path.pop();
    }
    if (marked.length === before) clean.set(part, schema);
  };
  look(value, root);
  return marked;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
