/** Who may import whom. */
import { isBuiltin } from "node:module";
import path from "node:path";
import ts from "typescript";
import { CLOCK_MODULES, type Layer } from "../../scripts/layers.js";
import { nodesOf } from "./architecture-nodes.ts";

/** One import, re-export or dynamic import. */
export interface Import {
  readonly node: ts.Node;
  /** What stands between the quotes; undefined when a dynamic import computes it. */
  readonly from: string | undefined;
  /** Whether nothing of it is left at run time. */
  readonly typesOnly: boolean;
}

/** All imports of a file, wherever they stand. */
export function importsOf(file: ts.SourceFile): Import[] {
  return [...nodesOf(file)].flatMap((node) => importAt(node) ?? []);
}

function importAt(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) {
    const typesOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { node, from: textOf(node.moduleSpecifier), typesOnly };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { node, from: textOf(node.moduleSpecifier), typesOnly: node.isTypeOnly };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { node, from: textOf(node.argument.literal), typesOnly: true };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [first] = node.arguments;
    return { node, from: first && textOf(first), typesOnly: false };
  }
  return undefined;
}

function textOf(node: ts.Node): string | undefined {
  return ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** What is wrong with an import in the file at `importer` (below `src/`), or undefined. */
export function importTrouble(importer: string, layer: Layer, found: Import): string | undefined {
  const { from } = found;
  if (from === undefined) return "a computed import can't be checked";
  if (from.startsWith(".")) return relativeTrouble(importer, layer, from, found.typesOnly);
  if (isBuiltin(from)) return builtinTrouble(importer, layer, from);
  const allowed = layer.npm.some((name) => from === name || from.startsWith(`${name}/`));
  return allowed ? undefined : `${folderOf(importer)} may not import the package ${from}`;
}

function relativeTrouble(
  importer: string,
  layer: Layer,
  from: string,
  typesOnly: boolean,
): string | undefined {
  if (!from.endsWith(".ts")) return `${from} does not end in .ts`;
  const target = path.posix.join(path.posix.dirname(importer), from);
  if (target.startsWith("..")) return `${from} lies outside src/`;
  if (folderOf(target) === folderOf(importer)) return undefined;
  const isAllowed = layer.imports.some(
    (allowed) => target.startsWith(`${allowed}/`) || target === `${allowed}.ts`,
  );
  if (!isAllowed) return `${folderOf(importer)} may not import ${target}`;
  const hasValues = layer.values?.includes(target.replace(/\.ts$/, "")) ?? true;
  return typesOnly || hasValues ? undefined : `${from} only by import type`;
}

function builtinTrouble(importer: string, layer: Layer, from: string): string | undefined {
  if (!from.startsWith("node:")) return `${from} is written node:${from}`;
  if (!layer.node) return `${folderOf(importer)} may not import ${from}`;
  if (CLOCK_MODULES.includes(from) && layer.clock !== true) return `${from} belongs to system`;
  if (from === "node:process" && layer.process !== true) return `${from} is not allowed here`;
  return undefined;
}

function folderOf(file: string): string {
  return file.split("/")[0] ?? "";
}
