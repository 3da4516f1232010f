/** What zod found, in words and with places. */
import type { z } from "zod";
import { mistakeAt, notThis } from "./mistakes.ts";
import { nodeAt, sourceOf } from "./places.ts";
import type { Path } from "./places.ts";
import { keysOf, schemaAt } from "./schema-at.ts";
import { similar } from "./similar.ts";
import { typeMeant } from "./type-names.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

type Issue = z.core.$ZodIssue;

/** The mistakes behind the issues, one for each place. */
export function mistakesOf(
  file: YamlFile,
  root: z.core.$ZodType,
  issues: readonly Issue[],
): Fault[] {
  const seen = new Set<string>();
  return issues.flatMap((issue) => {
    const place = issue.path.map(String).join("\0");
    if (seen.has(place) && issue.code !== "unrecognized_keys") return [];
    seen.add(place);
    return faultsOf(file, root, issue, issue.path);
  });
}

function faultsOf(file: YamlFile, root: z.core.$ZodType, issue: Issue, path: Path): Fault[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => unknownKey(file, root, path, key));
  if (issue.code === "invalid_key") {
    const text = "must be a whole number in decimal digits: it is the value that is labelled";
    return [mistakeAt(file, path, text, "key")];
  }
  if (issue.code === "invalid_union") {
    const inner = issue.errors.find((branch) => branch.some(isInside));
    if (inner !== undefined) {
      return inner.flatMap((nested) => faultsOf(file, root, nested, [...path, ...nested.path]));
    }
  }
  if (nodeAt(file, path) === undefined) {
    const missing = `has no ${String(path.at(-1))}, which ${issue.message}`;
    return [mistakeAt(file, path.slice(0, -1), missing)];
  }
  const meant = issue.code === "invalid_value" ? meantValue(file, path, issue.values) : "";
  // Only a text that says what the value must be goes on with what it is.
  const seen = issue.message.startsWith("must be ") ? notThis(file, path) : "";
  return [mistakeAt(file, path, issue.message + seen + meant + gluedTo(file, path, issue.code))];
}

/** What to do about `id:hall`, which is a text. */
function gluedTo(file: YamlFile, path: Path, code: Issue["code"]): string {
  const glued = code === "invalid_type" && /^[a-z]\w*:\w/i.test(sourceOf(nodeAt(file, path)) ?? "");
  return glued ? "; a key is followed by a colon and a space" : "";
}

/** Whether an issue of a branch shows that the branch was meant, and lies within. */
function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === "unrecognized_keys";
}

function unknownKey(file: YamlFile, root: z.core.$ZodType, path: Path, key: string): Fault {
  const section = schemaAt(root, path);
  const known = section === undefined ? [] : keysOf(section);
  const guess = similar(key, known);
  const hint = guess === undefined ? `known here: ${known.join(", ")}` : `did you mean ${guess}?`;
  return mistakeAt(file, [...path, key], `is an unknown key; ${hint}`, "key");
}

function meantValue(file: YamlFile, path: Path, values: readonly unknown[]): string {
  const source = sourceOf(nodeAt(file, path));
  const words = values.filter((value) => typeof value === "string");
  const guessed = path.at(-1) === "type" ? typeMeant : (word: string) => similar(word, words);
  const guess = source === undefined ? undefined : guessed(source);
  return guess === undefined ? "" : `; did you mean ${guess}?`;
}
