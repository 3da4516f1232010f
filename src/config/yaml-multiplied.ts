/** What anchors multiply a document to: a few lines of nested aliases can stand for more than memory holds. */
import { isAlias, isMap, isSeq } from "yaml";
import type { Alias, Node } from "yaml";
import type { Fault } from "./yaml-faults.ts";

/** Values of a file with its aliases written out: 500 gateways of 400 points have less than half of it. */
const MOST_VALUES = 4_000_000;

/** The alias that stands for most, when all of them stand for too much. No alias may lie within its own anchor. */
export function tooMuch(root: Node, targets: ReadonlyMap<Alias, Node>): Fault | undefined {
  // An anchor stands before its aliases, so that its size is known where they are met.
  const sizes = new Map<Node, number>();
  let largest: { readonly alias: Alias; readonly size: number } | undefined;
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) {
      const target = targets.get(node);
      const size = (target === undefined ? undefined : sizes.get(target)) ?? 1;
      if (size > (largest?.size ?? 0)) largest = { alias: node, size };
      return size;
    }
    if (!isMap(node) && !isSeq(node)) return 1;
    const parts: readonly unknown[] = isMap(node)
      ? node.items.map(({ value }) => value)
      : node.items;
    const size = parts.reduce<number>((sum, part) => sum + sizeOf(part), 1);
    if (node.anchor !== undefined) sizes.set(node, size);
    return size;
  };
  const size = sizeOf(root);
  if (size <= MOST_VALUES || largest === undefined) return undefined;
  const [start, end] = largest.alias.range ?? [0, 0];
  const text =
    `anchors multiply this file to ${size.toPrecision(3)} values, of which ${largest.size.toPrecision(3)} stand here; ` +
    `at most ${String(MOST_VALUES)} are read. Split the site between several nodes`;
  return { start, end, text };
}
