import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { ERROR_CODES } from "../src/core/errors.ts";

const page = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8");

/** Rows of the table as code → meaning, cause and next command. */
function rowsOf(text: string): Map<string, string[]> {
  const rows = text.matchAll(/^\| `(\w+)` *\|(.*)\|$/gm);
  return new Map(
    Array.from(rows, ([, code = "", rest = ""]) => [
      code,
      rest.split("|").map((cell) => cell.trim()),
    ]),
  );
}

/** What differs between the codes of the program and the page, in words. */
function differences(codes: Readonly<Record<string, string>>, text: string): string[] {
  const rows = rowsOf(text);
  return [
    ...Object.keys(codes).flatMap((code) => (rows.has(code) ? [] : [`the page lacks ${code}`])),
    ...[...rows].flatMap(([code, [meaning, cause, next]]) => {
      if (!(code in codes)) return [`the program has no ${code}`];
      if (meaning !== codes[code]) return [`${code} means something else`];
      return cause && next ? [] : [`${code} lacks a cause or a next command`];
    }),
  ];
}

test("docs/errors.md lists every code with its meaning, and no other", () => {
  assert.deepEqual(differences(ERROR_CODES, page), []);
});

test("a code that is missing on either side is noticed", () => {
  assert.deepEqual(differences({ ...ERROR_CODES, NEW: "New." }, page), ["the page lacks NEW"]);
  const { USAGE: _, ...others } = ERROR_CODES;
  assert.deepEqual(differences(others, page), ["the program has no USAGE"]);
});

test("another meaning and an empty cell are noticed", () => {
  const codes = { A: "Is a.", B: "Is b." };
  const text = "| `A` | Was a. | Cause. | Next. |\n| `B` | Is b. |  | Next. |";
  assert.deepEqual(differences(codes, text), [
    "A means something else",
    "B lacks a cause or a next command",
  ]);
});
