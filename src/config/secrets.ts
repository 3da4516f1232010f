/** What of a configuration no message may repeat: passwords, and what may be a misspelt one. */
import { isMap, isNode, isPair, isScalar, isSeq } from "yaml";
import type { Node } from "yaml";
import type { Path, Range } from "./places.ts";
import { keysOf, schemaAt } from "./schema-at.ts";
import { configSchema } from "./schema.ts";
import { similar } from "./similar.ts";
import type { YamlFile } from "./yaml-document.ts";

const KEY = /(?<![\w-])([\w-]+)["']?\s*[:=]\s*/g;
const FILLED_IN = /^["']?\$\{[^}]*\}["']?(?:[\s,}]|$)/;

/** A line without what would give a literal secret away: passwords, and users in a URL. */
export function concealed(text: string): string {
  const key = [...text.matchAll(KEY)].find((match) => {
    const value = text.slice(match.index + match[0].length);
    return isSecretKey(match[1] ?? "") && !FILLED_IN.test(value);
  });
  const from = key === undefined ? text.length : key.index + key[0].length;
  return (text.slice(0, from) + stars(text.slice(from))).replace(
    /(:\/\/)([^\s/@]+)(?=@)/g,
    (_, before: string, secret: string) => before + stars(secret),
  );
}

/** Part of a file's text without its secrets, as long as before; `start` is its offset. */
export function concealedPart({ text, contents }: YamlFile, start: number, end: number): string {
  const hidden = secretRanges(contents, []).reduce(
    (part, range) => {
      const from = Math.max(range.start - start, 0);
      const to = Math.max(range.end - start, from);
      return part.slice(0, from) + stars(part.slice(from, to)) + part.slice(to);
    },
    text.slice(start, end),
  );
  return concealed(hidden);
}

/** Whether a key is that of a secret, or was meant to be one. */
function isSecretKey(key: string): boolean {
  return (
    /^(pass.*|pwd|.*secret.*|.*token.*)$/i.test(key) || similar(key, ["password"]) !== undefined
  );
}

/** Values of keys that nobody knows, where secrets stand: any of them may be one. */
function secretRanges(node: unknown, path: Path): Range[] {
  if (isSeq(node)) return node.items.flatMap((item, index) => secretRanges(item, [...path, index]));
  if (!isMap(node)) return [];
  return node.items.flatMap((pair) => {
    if (!isPair(pair) || !isScalar(pair.key)) return [];
    const key = String(pair.key.value);
    const at = [...path, key];
    const hidden = [
      ...(holdsSecrets(path) && isOddKey(key) ? [pair.key] : []),
      ...(isNode(pair.value) && mayBeSecret(at, pair.value) ? [pair.value] : []),
    ].flatMap(({ range }) => (range == null ? [] : [{ start: range[0], end: range[1] }]));
    return hidden.length > 0 ? hidden : secretRanges(pair.value, at);
  });
}

/** Whether a key is no word: a secret may have slipped into it, as in `password=x`. */
export function isOddKey(key: string): boolean {
  return !/^[\w<$-]+$/.test(key);
}

/** Whether secrets stand in a section, so that what is not known there may be one. */
export function holdsSecrets(path: Path): boolean {
  return path[0] === "mqtt" || path.includes("users");
}

function mayBeSecret(path: Path, value: Node): boolean {
  if (!holdsSecrets(path)) return false;
  if (path.length === 1 && isScalar(value)) return isOddKey(value.source ?? "");
  const section = schemaAt(configSchema, path.slice(0, -1));
  return section === undefined || !keysOf(section).includes(String(path.at(-1)));
}

function stars(text: string): string {
  return text.replace(/\S/g, "*");
}
