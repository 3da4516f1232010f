/** The rules of the house that neither the compiler nor a glance at one file can hold. */
import ts from "typescript";
import { LAYERS, MAX_FILE_LINES, MAX_FUNCTION_LINES } from "../../scripts/layers.js";
import { bannedUses } from "./architecture-banned.ts";
import { importsOf, importTrouble } from "./architecture-imports.ts";
import { nodesOf } from "./architecture-nodes.ts";

/** A broken rule. */
export interface Finding {
  readonly rule: string;
  /** Path below `src/`, with the line where there is one: `engine/poller.ts:12`. */
  readonly place: string;
  readonly text: string;
}

/** A source text; the path is below `src/`, with slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Functions that may be longer than the limit. Key: `path function`, value: the reason. */
export type Exceptions = Readonly<Record<string, string>>;

const DUMPING_GROUNDS = /^(utils?|helpers?|common|misc|shared)(\.ts)?$/;
const NAMELESS_TODO = /\b(TODO|FIXME|XXX)\b(?!\([\w-]+\))/;

/** All findings in the given sources. */
export function inspect(sources: readonly Source[], exceptions: Exceptions = {}): Finding[] {
  return sources.flatMap((source) => inspectOne(source, exceptions));
}

function inspectOne(source: Source, exceptions: Exceptions): Finding[] {
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true);
  const findings: Finding[] = [];
  const add = (rule: string, node: ts.Node | undefined, text: string): void => {
    const line = node && file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    findings.push({
      rule,
      place: line === undefined ? source.path : `${source.path}:${String(line)}`,
      text,
    });
  };

  const folder = source.path.split("/")[0] ?? "";
  const layer = LAYERS[folder];
  if (layer === undefined) {
    add("folder", undefined, `src/${folder} is not in the table of scripts/layers.js`);
    return findings;
  }
  if (source.path.split("/").some((part) => DUMPING_GROUNDS.test(part))) {
    add(
      "dumping ground",
      undefined,
      "a helper lives with its one user, or is named after what it is",
    );
  }
  const lines = source.text.trimEnd().split("\n");
  if (lines.length > MAX_FILE_LINES) add("file size", undefined, `${String(lines.length)} lines`);
  lines.forEach((line, index) => {
    if (!NAMELESS_TODO.test(line)) return;
    findings.push({
      rule: "todo",
      place: `${source.path}:${String(index + 1)}`,
      text: "has no owner: TODO(name)",
    });
  });
  for (const found of importsOf(file)) {
    const trouble = importTrouble(source.path, layer, found);
    if (trouble !== undefined) add("import", found.node, trouble);
  }
  for (const { node, text } of bannedUses(file, layer)) add("banned", node, text);
  for (const { node, name } of undocumented(file)) add("docstring", node, `${name} has none`);
  for (const { node, name, length } of longFunctions(file)) {
    if (`${source.path} ${name}` in exceptions) continue;
    add("function size", node, `${name} has ${String(length)} lines`);
  }
  for (const node of uncommentedAssertions(file)) {
    add("assertion", node, "no comment on the line or above says why it is true");
  }
  return findings;
}

/** Exported declarations without a docstring; of overloads the first must have one. */
function undocumented(file: ts.SourceFile): { node: ts.Node; name: string }[] {
  const found: { node: ts.Node; name: string }[] = [];
  const seen = new Set<string>();
  for (const statement of file.statements) {
    if (!ts.canHaveModifiers(statement)) continue;
    const modifiers = ts.getModifiers(statement) ?? [];
    if (!modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) continue;
    const name = declaredName(statement);
    const isFirst = !seen.has(name);
    seen.add(name);
    const hasDocstring = ts
      .getJSDocCommentsAndTags(statement)
      .some((part) => ts.isJSDoc(part) && part.comment !== undefined);
    if (isFirst && !hasDocstring) found.push({ node: statement, name });
  }
  return found;
}

function declaredName(statement: ts.Statement): string {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((each) => each.name.getText()).join(", ");
  }
  const name = ts.isDeclarationStatement(statement) ? statement.name : undefined;
  return name?.getText() ?? "default";
}

function longFunctions(file: ts.SourceFile): { node: ts.Node; name: string; length: number }[] {
  const found: { node: ts.Node; name: string; length: number }[] = [];
  for (const node of nodesOf(file)) {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) continue;
    const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line;
    const length = file.getLineAndCharacterOfPosition(node.getEnd()).line - first + 1;
    if (length > MAX_FUNCTION_LINES) found.push({ node, name: functionName(node), length });
  }
  return found;
}

function functionName(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  if (ts.isConstructorDeclaration(node)) return "constructor";
  return ts.isVariableDeclaration(node.parent) ? node.parent.name.getText() : "(anonymous)";
}

/** Type assertions other than `as const` without a comment beside them or above their statement. */
function uncommentedAssertions(file: ts.SourceFile): ts.Node[] {
  const lines = file.text.split("\n");
  const lineOf = (place: number): number => file.getLineAndCharacterOfPosition(place).line;
  const isExplained = (node: ts.Node): boolean =>
    [node, statementAround(node)].some((near) =>
      lines
        .slice(Math.max(0, lineOf(near.getStart(file)) - 1), lineOf(node.getEnd()) + 1)
        .some((line) => /\/\/|\/\*|^\s*\*/.test(line)),
    );
  return [...nodesOf(file)].filter(
    (node) => ts.isAsExpression(node) && !ts.isConstTypeReference(node.type) && !isExplained(node),
  );
}

/** The statement or class member in which a node stands. */
function statementAround(node: ts.Node): ts.Node {
  let around = node;
  while (!ts.isStatement(around) && !ts.isClassElement(around) && !ts.isSourceFile(around)) {
    around = around.parent;
  }
  return around;
}
