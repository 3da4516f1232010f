/** Reads the rows that test files declare, without running them. */
import ts from "typescript";
import { nodesOf } from "./architecture-nodes.ts";
import type { FaultRow } from "./fault-row.ts";

/** The rows declared in a source text. Throws when one lacks a text, or when a text is no literal. */
export function declaredRows(path: string, text: string): FaultRow[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return [...nodesOf(file)].flatMap((node) => {
    if (!ts.isCallExpression(node) || node.expression.getText(file) !== "faultRow") return [];
    const [row] = node.arguments;
    if (row === undefined || !ts.isObjectLiteralExpression(row)) {
      throw new Error(`${path}: a row of faultRow is no literal`);
    }
    const texts = new Map(row.properties.map((property) => textOf(path, property, file)));
    const take = (name: string): string => {
      const found = texts.get(name);
      if (found === undefined) throw new Error(`${path}: a row of faultRow has no ${name}`);
      return found;
    };
    return [{ id: take("id"), fault: take("fault"), done: take("done"), must: take("must") }];
  });
}

function textOf(
  path: string,
  property: ts.ObjectLiteralElementLike,
  file: ts.SourceFile,
): [string, string] {
  if (!ts.isPropertyAssignment(property) || !ts.isStringLiteralLike(property.initializer)) {
    throw new Error(`${path}: ${property.getText(file)} is no text`);
  }
  return [property.name.getText(file), property.initializer.text];
}
