/** Where in the file a key or value stands. */
import { isMap, isNode, isPair, isScalar, isSeq } from "yaml";
import type { Node, Pair } from "yaml";
import { holdsSecrets, isOddKey } from "./secrets.ts";
import type { YamlFile } from "./yaml-document.ts";

/** Keys and indexes from the top of the configuration down. */
export type Path = readonly PropertyKey[];

/** A range of the text, as offsets. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The node at a path, undefined if there is none. */
export function nodeAt(file: YamlFile, path: Path): Node | undefined {
  let node: unknown = file.contents;
  for (const key of path) {
    const parent = file.follow(node);
    if (isMap(parent)) node = pairOf(parent.items, key)?.value;
    else if (isSeq(parent)) node = parent.items[Number(key)];
    else return undefined;
  }
  const found = file.follow(node);
  return isNode(found) ? found : undefined;
}

/** Range of the value at a path; without one, of the nearest section that should hold it. */
export function valueRange(file: YamlFile, path: Path): Range {
  const node = nodeAt(file, path);
  if (node?.range != null) return { start: node.range[0], end: node.range[1] };
  return path.length === 0 ? { start: 0, end: 0 } : valueRange(file, path.slice(0, -1));
}

/** Range of the key at the end of a path. */
export function keyRange(file: YamlFile, path: Path): Range {
  const parent = nodeAt(file, path.slice(0, -1));
  const key = isMap(parent) ? pairOf(parent.items, path.at(-1))?.key : undefined;
  if (isNode(key) && key.range != null) return { start: key.range[0], end: key.range[1] };
  return valueRange(file, path);
}

/** A path to read: list entries by their id where they have one. Never shows a substituted value. */
export function pathText(file: YamlFile, path: Path): string {
  const parts = path.map((key, depth) => {
    if (typeof key !== "number") return (depth === 0 ? "" : ".") + keyText(String(key), path);
    const id = sourceOf(nodeAt(file, [...path.slice(0, depth + 1), "id"]));
    return `[${id !== undefined && /^[a-z0-9_-]{1,63}$/.test(id) ? id : String(key)}]`;
  });
  return parts.join("");
}

/** A key as it is, in quotes when it would not be seen as one, or hidden when it may be a secret. */
function keyText(key: string, path: Path): string {
  if (!isOddKey(key)) return key;
  return holdsSecrets(path) ? '"********"' : JSON.stringify(key);
}

/** The text of a scalar as it stands in the file, undefined for anything else. */
export function sourceOf(node: Node | undefined): string | undefined {
  return isScalar(node) ? node.source : undefined;
}

function pairOf(pairs: readonly unknown[], key: PropertyKey | undefined): Pair | undefined {
  for (const pair of pairs) {
    if (isPair(pair) && isScalar(pair.key) && pair.key.value === key) return pair;
  }
  return undefined;
}
