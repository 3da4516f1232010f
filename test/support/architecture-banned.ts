/** What only some folders may use: clocks, timers, chance, the process and the console. */
import ts from "typescript";
import { CLOCK_GLOBALS, CLOCK_PROPERTIES, type Layer } from "../../scripts/layers.js";
import { nodesOf } from "./architecture-nodes.ts";

/** Uses in a file that its folder is not allowed. */
export function bannedUses(
  file: ts.SourceFile,
  layer: Layer,
): { readonly node: ts.Node; readonly text: string }[] {
  const globals = bannedGlobals(layer);
  const properties = layer.clock === true ? [] : CLOCK_PROPERTIES.map((pair) => pair.join("."));
  const found: { node: ts.Node; text: string }[] = [];
  for (const node of nodesOf(file)) {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push({ node, text: "any" });
    if (ts.isIdentifier(node) && globals.includes(node.text) && isGlobalUse(node)) {
      found.push({ node, text: node.text });
    }
    if (ts.isPropertyAccessExpression(node)) {
      const name = node.getText(file).replace("globalThis.", "");
      if (properties.includes(name)) found.push({ node, text: name });
    }
    if (layer.clock !== true && isDateOfNow(node)) found.push({ node, text: "new Date()" });
  }
  return found;
}

function bannedGlobals(layer: Layer): string[] {
  return [
    ...(layer.clock === true ? [] : CLOCK_GLOBALS),
    ...(layer.process === true ? [] : ["process"]),
    ...(layer.console === true ? [] : ["console"]),
  ];
}

/** Whether a name stands for the global, not for a member, a key or a declaration of that name. */
function isGlobalUse(name: ts.Identifier): boolean {
  const { parent } = name;
  if (ts.isPropertyAccessExpression(parent) && parent.name === name) {
    return parent.expression.getText() === "globalThis";
  }
  if (ts.isQualifiedName(parent)) return parent.left === name;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  const isName = "name" in parent && parent.name === name;
  const isKey = "propertyName" in parent && parent.propertyName === name;
  return !isName && !isKey;
}

function isDateOfNow(node: ts.Node): boolean {
  return (
    (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
    node.expression.getText() === "Date" &&
    (node.arguments?.length ?? 0) === 0
  );
}
