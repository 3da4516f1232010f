/** What a process that runs for years has to keep in memory. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { importsOf } from "../support/architecture-imports.ts";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

/** Packages that are loaded with a file, itself and all that it imports without being asked. */
function packagesOf(entry: string, seen = new Set<string>()): string[] {
  if (seen.has(entry)) return [];
  seen.add(entry);
  const text = readFileSync(path.join(SRC, entry), "utf8");
  const file = ts.createSourceFile(entry, text, ts.ScriptTarget.Latest, true);
  return importsOf(file)
    .filter(({ node, typesOnly }) => !typesOnly && !ts.isCallExpression(node))
    .flatMap(({ from = "" }) => {
      if (from.startsWith("node:")) return [];
      if (!from.startsWith(".")) return [from];
      return packagesOf(path.posix.join(path.posix.dirname(entry), from), seen);
    });
}

test("a node loads neither the parser nor the schema of its configuration", () => {
  assert.deepEqual([...new Set(packagesOf("app/site-process.ts"))].sort(), ["yaml", "zod"]);
  const kept = ["cli/main.ts", "cli/start.ts", "app/remote.ts", "app/site-apart.ts", "app/node.ts"];
  const loaded = new Set(kept.flatMap((entry) => packagesOf(entry)));
  assert.deepEqual([...loaded].sort(), ["level", "modbus-serial", "pino"]);
});
