/** From text to a YAML document, or to what is wrong with it as YAML. */
import { Composer, isAlias, isNode, LineCounter, Parser, visit } from "yaml";
import type { Alias, Document, Node, ParsedNode } from "yaml";
import { faultsBehind } from "./yaml-faults.ts";
import type { Fault } from "./yaml-faults.ts";
import { tooMuch } from "./yaml-multiplied.ts";
import { obstacleOf } from "./yaml-obstacles.ts";

/** A configuration or a profile as YAML. */
export interface YamlFile {
  readonly text: string;
  readonly lines: LineCounter;
  /** Undefined when nothing could be made of the text. */
  readonly contents: ParsedNode | undefined;
  /** The contents as plain values, aliases followed; for a file without faults. */
  readonly toPlain: () => unknown;
  /** The node an alias stands for; any other node is itself. */
  readonly follow: (node: unknown) => unknown;
  readonly faults: readonly Fault[];
}

/** Reads YAML 1.2 without tags; what can't be read stands in `faults`. Never throws. */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const obstacle = obstacleOf(text, tokens);
  if (obstacle !== undefined) return unread(text, lines, obstacle);
  const options = { version: "1.2", stringKeys: true, merge: false } as const;
  const [document, second] = [...new Composer(options).compose(tokens, true, text.length)];
  const contents = document?.contents ?? undefined;
  if (document === undefined || (contents === undefined && document.errors.length === 0)) {
    return unread(text, lines, { start: 0, end: 0, text: "the file is empty" });
  }
  const targets = new Map<Alias, Node>();
  const faults = [...faultsOf(document, text), ...oddNodes(document, targets)];
  if (second !== undefined) faults.push(secondDocument(second.range[0]));
  const multiplied =
    faults.length > 0 || !isNode(contents) ? undefined : tooMuch(contents, targets);
  if (multiplied !== undefined) faults.push(multiplied);
  return {
    text,
    lines,
    contents,
    toPlain: (): unknown => document.toJS({ maxAliasCount: -1 }),
    follow: (node) => (isAlias(node) ? targets.get(node) : node),
    faults,
  };
}

function unread(text: string, lines: LineCounter, fault: Fault): YamlFile {
  const none = { contents: undefined, toPlain: () => undefined, follow: () => undefined };
  return { text, lines, ...none, faults: [fault] };
}

function faultsOf(document: Document.Parsed, text: string): Fault[] {
  // The warning about an unknown tag is left to `oddNodes`, which refuses them all.
  const warnings = document.warnings.filter(({ code }) => code !== "TAG_RESOLVE_FAILED");
  const errors = [...document.errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  // What follows a text that does not fit is mostly its consequence.
  const first = errors.findIndex(({ code }) => code === "UNEXPECTED_TOKEN");
  const own = errors.slice(0, first < 0 ? undefined : first + 1);
  const faults = faultsBehind(own, text, own.length > 0 ? quotesOf(document) : []);
  const { explicit, version } = document.directives.yaml;
  if (explicit === true && version !== "1.2") {
    faults.push({ start: 0, end: 0, text: "must be YAML 1.2; leave out the line %YAML" });
  }
  return faults;
}

/** Where quoted texts begin, in the order of the file. */
function quotesOf(document: Document.Parsed): number[] {
  const starts: number[] = [];
  visit(document, {
    Scalar: (_key, { type, range }) => {
      if (type?.startsWith("QUOTE") === true && range != null) starts.push(range[0]);
    },
  });
  return starts.sort((a, b) => a - b);
}

/** Finds tags and aliases of nothing or of themselves, and notes what each alias stands for. */
function oddNodes(document: Document.Parsed, targets: Map<Alias, Node>): Fault[] {
  const anchors = new Map<string, Node>();
  const faults: Fault[] = [];
  visit(document, (_key, node) => {
    if (!isNode(node)) return;
    const [start, end] = node.range ?? [0, 0];
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target !== undefined) targets.set(node, target);
      if (target === undefined) {
        faults.push({ start, end, text: "no anchor of this name stands before this alias" });
      } else if ((target.range?.[1] ?? 0) > start) {
        faults.push({ start, end, text: "this alias stands for a part that it lies within" });
      }
      return;
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (node.tag !== undefined)
      faults.push({ start, end, text: "tags such as !!str are not used here" });
  });
  return faults;
}

function secondDocument(start: number): Fault {
  return { start, end: start + 1, text: "a second document begins here; a file is one" };
}
