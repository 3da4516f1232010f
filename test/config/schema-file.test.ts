import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { configJsonSchema, profileJsonSchema } from "../../src/config/json-schema.ts";

const SCHEMAS = { edgepoll: configJsonSchema, profile: profileJsonSchema };

for (const [name, schema] of Object.entries(SCHEMAS)) {
  test(`config/${name}.schema.json is what the schema exports (UPDATE=1 writes it, then prettier)`, () => {
    const file = new URL(`../../config/${name}.schema.json`, import.meta.url);
    const current = JSON.stringify(schema(), null, 2);
    if (process.env["UPDATE"] === "1") writeFileSync(file, `${current}\n`);
    assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), JSON.parse(current));
  });
}

test("the schema of a profile takes numbers for ids and references, and nothing from outside", () => {
  const text = JSON.stringify(profileJsonSchema());
  assert.ok(text.includes('"string","integer"'));
  assert.ok(!text.includes("substitution"));
});
