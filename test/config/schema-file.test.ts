import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { configJsonSchema } from "../../src/config/json-schema.ts";

const file = new URL("../../config/edgepoll.schema.json", import.meta.url);

test("config/edgepoll.schema.json is what the schema exports (UPDATE=1 writes it, then prettier)", () => {
  const current = JSON.stringify(configJsonSchema(), null, 2);
  if (process.env["UPDATE"] === "1") writeFileSync(file, `${current}\n`);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), JSON.parse(current));
});
