/** The fault table of the documentation against the rows that the tests declare. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { rowsOf, withRows } from "../scripts/fault-page.js";
import { declaredRows } from "./support/fault-declarations.ts";

const page = readFileSync(new URL("../docs/reliability.md", import.meta.url), "utf8");
const folder = new URL("faults/", import.meta.url);
const declared = readdirSync(folder)
  .filter((name) => name.endsWith(".test.ts"))
  .flatMap((name) => declaredRows(name, readFileSync(new URL(name, folder), "utf8")));

/** What differs between the page and the rows declared, in words. */
function differences(text: string, rows: readonly (typeof declared)[number][]): string[] {
  const shown = new Map(rowsOf(text).map((row) => [row.id, row]));
  const ids = new Set(rows.map(({ id }) => id));
  return [
    ...rows.flatMap(({ id, fault, done, must }) => {
      const row = shown.get(id);
      if (row === undefined) return [`the page lacks ${id}`];
      const isSame = row.fault === fault && row.done === done && row.must === must;
      return isSame ? [] : [`the page says other words of ${id}`];
    }),
    ...[...shown.keys()].filter((id) => !ids.has(id)).map((id) => `no test declares ${id}`),
  ];
}

test("docs/reliability.md shows every row that is declared, in its words (npm run faults writes it)", () => {
  assert.deepEqual(differences(page, declared), []);
  const ids = declared.map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), [...new Set(ids)].toSorted(), "each row is declared once");
  assert.deepEqual(withRows(page, rowsOf(page)), page, "the tables are as the script writes them");
});

test("a row that is missing on either side and other words are noticed", () => {
  const [first] = declared;
  assert.ok(first);
  const other = { ...first, id: "D99" };
  assert.deepEqual(differences(page, [...declared, other]), ["the page lacks D99"]);
  assert.deepEqual(differences(page, declared.slice(1)), [`no test declares ${first.id}`]);
  assert.deepEqual(differences(page, [{ ...first, done: "nothing" }, ...declared.slice(1)]), [
    `the page says other words of ${first.id}`,
  ]);
});

test("a row without one of its texts, or with one that must be computed, is no declaration", () => {
  const row = 'id: "D1", fault: "f", done: "d"';
  assert.throws(() => declaredRows("a.ts", `faultRow({ ${row} }, body)`), /has no must/);
  assert.throws(() => declaredRows("a.ts", `faultRow({ ${row}, must: word }, body)`), /is no text/);
});
