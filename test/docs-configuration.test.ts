import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { configurationPage } from "./support/configuration-page.ts";

const file = new URL("../docs/configuration.md", import.meta.url);

test("docs/configuration.md is what the schema says (UPDATE=1 writes it)", () => {
  const current = configurationPage();
  if (process.env["UPDATE"] === "1") writeFileSync(file, current);
  assert.equal(readFileSync(file, "utf8"), current);
});
