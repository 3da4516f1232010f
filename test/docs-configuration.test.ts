import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { configurationPage } from "./support/configuration-page.ts";

const file = new URL("../docs/configuration.md", import.meta.url);

/** Keys that are said to have a section of their own, and have none. */
function withoutSection(page: string): string[] {
  const titles = Array.from(page.matchAll(/^## (.+)$/gm), ([, title = ""]) => title);
  const names = new Set(titles.map((title) => title.slice(title.lastIndexOf(".") + 1)));
  const keys = page.matchAll(/^\| `(\w+)` \| (?:section|list), see below/gm);
  return Array.from(keys, ([, key = ""]) => key).filter((key) => !names.has(key));
}

test("docs/configuration.md is what the schema says (UPDATE=1 writes it)", () => {
  const current = configurationPage();
  if (process.env["UPDATE"] === "1") writeFileSync(file, current);
  assert.equal(readFileSync(file, "utf8"), current);
});

test("what is said to stand below does, and is noticed when it does not", () => {
  const page = configurationPage();
  assert.deepEqual(withoutSection(page), []);
  assert.deepEqual(withoutSection(page.replace("## store.keep\n", "")), ["keep"]);
});
