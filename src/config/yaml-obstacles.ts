/** What would harm the process if the text were read on. */
import type { CST } from "yaml";
import type { Fault } from "./yaml-faults.ts";

/** A configuration has about fifteen levels; thousands would exhaust the stack of the parser. */
const DEEPEST = 64;

/** Control characters that YAML does not allow (YAML 1.2.2, 5.1). */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Binary data or nesting without end, undefined if neither. */
export function obstacleOf(text: string, tokens: readonly CST.Token[]): Fault | undefined {
  const control = text.search(CONTROL);
  if (control >= 0) {
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, "0");
    return { start: control, end: control + 1, text: `not YAML: it holds the character U+${code}` };
  }
  const deep = tooDeep(tokens);
  if (deep === undefined) return undefined;
  return { start: deep, end: deep + 1, text: `nested more than ${String(DEEPEST)} levels deep` };
}

/** Offset of a token that lies too deep. Without recursion, which is what it guards. */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  let level = [...tokens];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return level[0]?.offset;
    const below: CST.Token[] = [];
    for (const token of level) addNested(token, below);
    level = below;
  }
  return undefined;
}

/** Adds what a token holds; a scalar has no level of its own to look into. */
function addNested(token: CST.Token, below: CST.Token[]): void {
  if (token.type === "document") {
    if (token.value !== undefined) below.push(token.value);
  } else if ("items" in token) {
    for (const { key, value } of token.items) {
      if (key != null) below.push(key);
      if (value != null) below.push(value);
    }
  }
}
