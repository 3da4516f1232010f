/** The kinds of value a key can have, each with an error that says what is allowed. */
import { z } from "zod";
import { DURATION, parseDuration, parseSize, SIZE } from "./units.ts";

/** Keys whose value is read from the source text: `id: 1` is the text 1, `040001` keeps its zero. */
export const SOURCE_TEXT_KEYS: readonly string[] = [
  "id",
  "reference",
  "node",
  "clientId",
  "username",
  "password",
];

const ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** How far a key that is in the schema works in this version. */
export type Mark = "later" | "refused";

const marks = new WeakMap<z.core.$ZodType, Mark>();

/** Marks a key that is accepted, but has no effect yet. */
export function later<T extends z.ZodType>(schema: T): T {
  marks.set(schema, "later");
  return schema;
}

/** Marks a key that protects or is relied on: it is refused until it works, never ignored. */
export function refused<T extends z.ZodType>(schema: T): T {
  marks.set(schema, "refused");
  return schema;
}

/** The mark of a key's schema, undefined for a key that works. */
export function markOf(schema: z.core.$ZodType): Mark | undefined {
  return marks.get(schema);
}

/** Keys with values; unknown keys are mistakes. */
export function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, { error: "must be a section of keys" });
}

/** A list of at least one. */
export function listOf<T extends z.ZodType>(element: T) {
  const error = "must be a list with at least one entry";
  return z.array(element, { error }).min(1, { error });
}

/** An id of a node, gateway, device or point. */
export function id() {
  const error =
    "must be 1 to 63 lower-case letters, digits, - and _, beginning with a letter or digit";
  return z.string({ error }).regex(ID, { error });
}

/** Text of 1 to `longest` characters without control characters. */
export function text(longest: number) {
  const error = `must be text of 1 to ${String(longest)} characters without control characters`;
  return z
    .string({ error })
    .min(1, { error })
    .max(longest, { error })
    .refine((value) => !/\p{Cc}/u.test(value), { error });
}

/** A secret; it may be empty, and no message repeats it. */
export function secret() {
  return z
    .string({ error: "must be text" })
    .max(65_535, { error: "must have at most 65535 characters" });
}

/** True or false. */
export function flag() {
  return z.boolean({ error: "must be true or false" });
}

/** A whole number within limits; `hint` follows them in the error. */
export function integer(least: number, most: number, hint = "") {
  const error = `must be a whole number from ${String(least)} to ${String(most)}${hint}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A finite number. */
export function number() {
  return z.number({ error: "must be a number" });
}

/** A number, or the digits of a whole one that a double can't hold. */
export function rawNumber() {
  const error = "must be a number";
  return z.union([number(), z.string().regex(/^-?\d{1,20}$/, { error })], { error });
}

/** One of a few words, which the error names. */
export function oneOf<const T extends readonly string[]>(words: T) {
  const error = `must be ${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
  return z.enum(words, { error });
}

/** A duration, in ms once parsed; the limits are written as in the configuration. */
export function duration(least: string, most: string) {
  const example = "such as 250ms, 10s, 5m, 1h, 7d or 5y";
  const error = `must be a duration from ${least} to ${most} with its unit, ${example}`;
  return measured(DURATION, parseDuration, [least, most], error);
}

/** The time between two slots, ms once parsed. */
export function interval() {
  return duration("10ms", "366d");
}

/** A size, in bytes once parsed; the limits are written as in the configuration. */
export function size(least: string, most: string) {
  const error = `must be a size from ${least} to ${most} with its unit, such as 256MiB or 1GiB`;
  return measured(SIZE, parseSize, [least, most], error);
}

function measured(
  form: RegExp,
  parse: (text: string) => number | undefined,
  [least, most]: readonly [string, string],
  error: string,
) {
  const from = parse(least) ?? 0;
  const to = parse(most) ?? 0;
  return z
    .string({ error })
    .regex(form, { error })
    .transform((written, context) => {
      const value = parse(written);
      if (value !== undefined && value >= from && value <= to) return value;
      context.addIssue(error);
      return z.NEVER;
    });
}

/** Text that a function judges; the function's answer says what is wrong. */
export function judged(allowed: string, faultOf: (text: string) => string | undefined) {
  return z.string({ error: allowed }).superRefine((value, context) => {
    const fault = faultOf(value);
    if (fault !== undefined) context.addIssue(fault);
  });
}
