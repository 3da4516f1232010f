/** What the schema says of one key. */
import { z } from "zod";
import { bare, childSchema, keysOf } from "./schema-at.ts";
import { configSchema } from "./schema.ts";
import { markOf, type Mark } from "./schema-kinds.ts";
import { similar } from "./similar.ts";

type Schema = z.core.$ZodType;

/** A key as the schema has it. */
export interface Explained {
  /** Such as `gateways.devices.points.scale`. */
  readonly key: string;
  readonly meaning: string;
  readonly kind: "section" | "list" | "value";
  /** What a value may be, in words; empty for sections and lists. */
  readonly allowed: string;
  /** What a number of it counts, as far as the schema knows. */
  readonly unit?: string;
  /** As written in the configuration, or in words; undefined when there is none. */
  readonly default?: string;
  readonly required: boolean;
  /** Set for a key without effect in this version, or refused by it. */
  readonly mark?: Mark;
  /** Keys of a section, or of the entries of a list. */
  readonly keys: readonly { readonly key: string; readonly meaning: string }[];
}

/** The key, or that there is none and what was meant. */
export type Found =
  | { readonly found: Explained }
  | { readonly unknown: string; readonly meant: readonly string[] };

/** What a description says of the default. */
const DEFAULT = /; default: (.+?)\.(?= |$)/;
const MOST_MEANT = 5;

/** Explains the key of a dotted path; indexes and ids in brackets may stand behind lists. */
export function explain(dotted: string): Found {
  const steps = dotted.replace(/\[[^\]]*\]/g, "").split(".");
  let schema: Schema = configSchema;
  const path: string[] = [];
  for (const step of steps) {
    if (/^\d+$/.test(step)) continue;
    const section = entryOf(schema);
    const child = childSchema(section, step);
    if (child === undefined) return unknown(step, path, section);
    path.push(step);
    schema = child;
  }
  return path.length === 0 ? unknown(dotted, path, schema) : { found: explained(path, schema) };
}

/** What a value may be, in the words of the error that a wrong one brings. */
export function allowedOf(schema: Schema): string {
  const error = z.safeParse(schema, null).error?.issues[0]?.message ?? "";
  return error.replace(/^must be /, "").replace(/ \(5- and 6-digit.*$/, "");
}

function explained(path: readonly string[], schema: Schema): Explained {
  const inner = bare(schema);
  const kind = kindOf(inner);
  const text = z.globalRegistry.get(schema)?.description ?? "";
  const fallback = defaultOf(schema, text);
  const mark = markOf(schema);
  const allowed = kind === "value" ? allowedOf(schema) : "";
  const unit = unitOf(allowed);
  const section = entryOf(schema);
  return {
    key: path.join("."),
    meaning: text.replace(DEFAULT, "."),
    ...{ kind, allowed },
    ...(unit === undefined ? {} : { unit }),
    ...(fallback === undefined ? {} : { default: fallback }),
    required: !(schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault),
    ...(mark === undefined ? {} : { mark }),
    keys: keysOf(section).map((key) => ({ key, meaning: meaningOf(childSchema(section, key)) })),
  };
}

function kindOf(inner: Schema): Explained["kind"] {
  if (inner instanceof z.ZodObject || inner instanceof z.ZodRecord) return "section";
  return inner instanceof z.ZodArray ? "list" : "value";
}

function meaningOf(schema: Schema | undefined): string {
  return (schema === undefined ? undefined : z.globalRegistry.get(schema)?.description) ?? "";
}

function unitOf(allowed: string): string | undefined {
  if (allowed.includes("a duration")) return "written with it: ms, s, m, h, d or y";
  return allowed.includes("a size") ? "written with it: KiB, MiB, GiB or TiB" : undefined;
}

function defaultOf(schema: Schema, text: string): string | undefined {
  if (schema instanceof z.ZodPrefault) {
    const fallback: unknown = schema.def.defaultValue;
    if (["string", "number", "boolean"].includes(typeof fallback))
      return JSON.stringify(fallback).replaceAll('"', "");
  }
  return DEFAULT.exec(text)?.[1];
}

/** The section that a key stands for: of a list, that of its entries. */
function entryOf(schema: Schema): Schema {
  const inner = bare(schema);
  return inner instanceof z.ZodArray ? entryOf(inner.element) : inner;
}

function unknown(step: string, path: readonly string[], section: Schema): Found {
  const near = similar(step, keysOf(section));
  const here = near === undefined ? [] : [[...path, near].join(".")];
  const same = allKeys(configSchema, []).filter((key) => key.split(".").at(-1) === step);
  return { unknown: [...path, step].join("."), meant: [...here, ...same].slice(0, MOST_MEANT) };
}

function allKeys(schema: Schema, path: readonly string[]): string[] {
  const section = entryOf(schema);
  return keysOf(section).flatMap((key) => {
    const child = childSchema(section, key);
    const below = child === undefined ? [] : allKeys(child, [...path, key]);
    return [[...path, key].join("."), ...below];
  });
}
