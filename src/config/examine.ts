/** From a YAML file and its schema to settings, or to every mistake in it. */
import type { z } from "zod";
import { draftOf, markedKeys, type Draft, type Marked } from "./draft.ts";
import { mistakesOf } from "./issues.ts";
import { judgeOf, mistakeAt, type Judge } from "./mistakes.ts";
import type { Outside } from "./substitute.ts";
import { fillValues } from "./values.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** What became of a file: settings, or at least one fault. */
export type Examined<T> =
  | { readonly settings: T; readonly marked: readonly Marked[] }
  | { readonly faults: readonly Fault[] };

const REFUSED =
  "is not in this version yet; it is refused so that nobody relies on it. Leave it out for now";

/** Checks everything there is to check, in one run; `rules` are those between keys. */
export function examine<T>(
  file: YamlFile,
  schema: z.ZodType<T>,
  outside: Outside | undefined,
  rules: (draft: Draft<T>, judge: Judge) => void,
): Examined<T> {
  if (file.faults.length > 0) return { faults: file.faults };
  const unfilled = fillValues(file.contents, outside);
  const plain = file.toPlain();
  const parsed = schema.safeParse(plain);
  const marked = markedKeys(schema, plain);
  const faults = [
    ...unfilled.map(({ path, fault }) => mistakeAt(file, path, fault)),
    ...marked
      .filter(({ mark }) => mark === "refused")
      .map(({ path }) => mistakeAt(file, path, REFUSED, "key")),
    ...mistakesOf(file, schema, parsed.error?.issues ?? []),
  ];
  // What is whole is a draft too.
  const draft = parsed.success ? (parsed.data as Draft<T>) : draftOf(schema, plain);
  rules(draft, judgeOf(file, faults));
  if (!parsed.success || faults.length > 0) return { faults: oneEach(faults) };
  return { settings: parsed.data, marked };
}

/** A value that could not be filled in is wrong for that reason only; the first fault of a place counts. */
function oneEach(faults: readonly Fault[]): Fault[] {
  const unique = new Map<string, Fault>();
  for (const fault of faults) {
    const place = `${String(fault.start)}-${String(fault.end)}`;
    if (!unique.has(place)) unique.set(place, fault);
  }
  return [...unique.values()];
}
