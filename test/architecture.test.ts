import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { type Exceptions, inspect } from "./support/architecture.ts";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));

/** Key: `path function`, value: why it may be longer than the limit. */
const LONGER_FUNCTIONS: Exceptions = {};

const sources = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => path.join(entry.parentPath, entry.name))
  .map((file) => ({
    path: path.relative(SRC, file).split(path.sep).join("/"),
    text: readFileSync(file, "utf8"),
  }));

test("the sources keep the rules of the house", () => {
  assert.ok(sources.length > 20, "the sources were not found");
  const findings = inspect(sources, LONGER_FUNCTIONS);
  const lines = findings.map(({ place, rule, text }) => `src/${place}  ${rule}: ${text}`);
  if (lines.length > 0) assert.fail(["", ...lines].join("\n"));
});

test("every exception names a function that is there", () => {
  const unused = Object.keys(LONGER_FUNCTIONS).filter((key) => {
    const others = Object.entries(LONGER_FUNCTIONS).filter(([other]) => other !== key);
    return inspect(sources, Object.fromEntries(others)).every(
      (finding) => finding.rule !== "function size",
    );
  });
  assert.deepEqual(unused, []);
});

/** What `inspect` says of one source, as `rule: text`. */
function findingsIn(file: string, text: string, exceptions: Exceptions = {}): string[] {
  return inspect([{ path: file, text }], exceptions).map((each) => `${each.rule}: ${each.text}`);
}

/** Breaks a rule on purpose. Columns: path, source, the finding. */
const BROKEN: readonly (readonly [string, string, string])[] = [
  ["core/a.ts", 'import "node:fs";', "import: core may not import node:fs"],
  ["core/a.ts", 'import { z } from "zod";', "import: core may not import the package zod"],
  ["core/a.ts", 'import "../engine/b.ts";', "import: core may not import engine/b.ts"],
  ["core/a.ts", 'export * from "../store/b.ts";', "import: core may not import store/b.ts"],
  ["core/a.ts", 'type A = import("../app/b.ts").B;', "import: core may not import app/b.ts"],
  ["engine/a.ts", 'import "node:events";', "import: engine may not import node:events"],
  [
    "engine/a.ts",
    'import type { B } from "../mqtt/b.ts";',
    "import: engine may not import mqtt/b.ts",
  ],
  ["engine/a.ts", 'await import("../config/b.ts");', "import: engine may not import config/b.ts"],
  ["modbus/a.ts", 'import "mqtt";', "import: modbus may not import the package mqtt"],
  ["modbus/deep/a.ts", 'import "../../mqtt/b.ts";', "import: modbus may not import mqtt/b.ts"],
  [
    "mqtt/a.ts",
    'import "aedes-persistence";',
    "import: mqtt may not import the package aedes-persistence",
  ],
  [
    "store/a.ts",
    'import "classic-level";',
    "import: store may not import the package classic-level",
  ],
  ["http/a.ts", 'import "http";', "import: http is written node:http"],
  ["system/a.ts", 'import "../config/b.ts";', "import: system may not import config/b.ts"],
  [
    "simulator/a.ts",
    'import { B } from "../core/b.ts";',
    "import: ../core/b.ts only by import type",
  ],
  ["app/a.ts", 'import "../cli/b.ts";', "import: app may not import cli/b.ts"],
  ["app/a.ts", 'import "cac";', "import: app may not import the package cac"],
  ["cli/a.ts", 'import "../engine/b.ts";', "import: cli may not import engine/b.ts"],
  ["cli/a.ts", 'import "../system/b.ts";', "import: cli may not import system/b.ts"],
  ["cli/a.ts", 'import "../control/server.ts";', "import: cli may not import control/server.ts"],
  ["cli/a.ts", "await import(name);", "import: a computed import can't be checked"],
  ["cli/a.ts", 'import "./b.js";', "import: ./b.js does not end in .ts"],
  ["cli/a.ts", 'import "../../test/b.ts";', "import: ../../test/b.ts lies outside src/"],
  [
    "store/a.ts",
    'import "node:timers/promises";',
    "import: node:timers/promises belongs to system",
  ],
  ["http/a.ts", 'import "node:process";', "import: node:process is not allowed here"],
  ["engine/a.ts", "Date.now();", "banned: Date.now"],
  ["mqtt/a.ts", "globalThis.Date.now();", "banned: Date.now"],
  ["mqtt/a.ts", "new Date();", "banned: new Date()"],
  ["http/a.ts", "AbortSignal.timeout(1);", "banned: AbortSignal.timeout"],
  ["core/a.ts", "performance.now();", "banned: performance"],
  ["core/a.ts", "Math.random();", "banned: Math.random"],
  ["modbus/a.ts", "setTimeout(f, 1);", "banned: setTimeout"],
  ["modbus/a.ts", "globalThis.setInterval(f, 1);", "banned: setInterval"],
  ["app/a.ts", "f({ process });", "banned: process"],
  ["app/a.ts", "process.exit(1);", "banned: process"],
  ["app/a.ts", "console.log(1);", "banned: console"],
  ["cli/a.ts", "Date.now();", "banned: Date.now"],
  ["core/a.ts", "const a: any = 1;", "banned: any"],
  [
    "core/a.ts",
    "const a = b as C;",
    "assertion: no comment on the line or above says why it is true",
  ],
  ["core/a.ts", "export function f() {}", "docstring: f has none"],
  ["core/a.ts", "export const A = 1;", "docstring: A has none"],
  ["core/a.ts", "export interface A {}", "docstring: A has none"],
  ["core/a.ts", "// a comment\nexport class A {}", "docstring: A has none"],
  ["core/a.ts", "/** @param a */\nexport type A = 1;", "docstring: A has none"],
  ["core/a.ts", "export default function () {}", "docstring: default has none"],
  ["core/a.ts", "// TODO: later", "todo: has no owner: TODO(name)"],
  ["core/a.ts", "f(); /* FIXME */", "todo: has no owner: TODO(name)"],
  ["core/a.ts", "\n".repeat(300) + "f();", "file size: 301 lines"],
  ["core/a.ts", `function f() {${"\n".repeat(60)}}`, "function size: f has 61 lines"],
  ["core/a.ts", `const f = () => {${"\n".repeat(60)}};`, "function size: f has 61 lines"],
  ["core/a.ts", `class A { f() {${"\n".repeat(60)}} }`, "function size: f has 61 lines"],
  [
    "core/utils/a.ts",
    "f();",
    "dumping ground: a helper lives with its one user, or is named after what it is",
  ],
  [
    "core/helpers.ts",
    "f();",
    "dumping ground: a helper lives with its one user, or is named after what it is",
  ],
  ["lib/a.ts", "f();", "folder: src/lib is not in the table of scripts/layers.js"],
  ["main.ts", "f();", "folder: src/main.ts is not in the table of scripts/layers.js"],
];

for (const [file, text, finding] of BROKEN) {
  const shown = text.length > 60 ? `${text.slice(0, 20).trim()}…` : text.replaceAll("\n", " ");
  test(`finds "${shown}" in ${file}`, () => {
    assert.deepEqual(findingsIn(file, text), [finding]);
  });
}

/** What looks like a broken rule and is none. */
const SOUND: readonly (readonly [string, string])[] = [
  ["core/a.ts", 'import { b } from "./b.ts"; import type { C } from "./deep/c.ts";'],
  ["engine/a.ts", 'import { b } from "../core/b.ts";'],
  ["modbus/a.ts", 'import M from "modbus-serial"; import net from "node:net";'],
  ["config/a.ts", 'import { z } from "zod/v4"; import { readFile } from "node:fs/promises";'],
  ["simulator/a.ts", 'import type { B } from "../core/b.ts"; import net from "node:net";'],
  ["simulator/a.ts", 'import { E } from "../core/errors.ts";'],
  ["system/a.ts", "setTimeout(f, Date.now() + performance.now() + Math.random()); process.pid;"],
  ["cli/a.ts", 'process.exitCode = 1; console.log(1); await import("../app/node.ts");'],
  ["cli/a.ts", 'import { ask } from "../control/client.ts"; import { cac } from "cac";'],
  ["modbus/a.ts", "socket.setTimeout(1); interface P { setTimeout(): void; process: 1 }"],
  ["engine/a.ts", "f({ process: 1 }); const { performance: p } = x; new Date(5);"],
  ["core/a.ts", "const a = [1] as const;"],
  ["core/a.ts", "// The key is one of the table's.\nconst a = b as C;"],
  ["core/a.ts", "const a = b as C; // checked above"],
  ["core/a.ts", "// TODO(ann): when the registry says so"],
  ["core/a.ts", "/** Does f. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;"],
  ["core/a.ts", 'export { b } from "./b.ts";'],
  ["core/a.ts", "f();\n".repeat(300)],
  ["core/a.ts", `function f() {${"\n".repeat(59)}}`],
];

for (const [file, text] of SOUND) {
  test(`leaves "${text.slice(0, 50).replaceAll("\n", " ")}" in ${file} alone`, () => {
    assert.deepEqual(findingsIn(file, text), []);
  });
}

test("a function on the list of exceptions may be longer, under its own name only", () => {
  const long = `function f() {${"\n".repeat(60)}}\n`;
  const exceptions = { "core/a.ts f": "a table" };
  assert.deepEqual(findingsIn("core/a.ts", long, exceptions), []);
  assert.deepEqual(findingsIn("core/a.ts", long.replace("f()", "g()"), exceptions), [
    "function size: g has 61 lines",
  ]);
});

test("a finding names the line", () => {
  const [finding] = inspect([{ path: "core/a.ts", text: "f();\nDate.now();\n" }]);
  assert.equal(finding?.place, "core/a.ts:2");
});
