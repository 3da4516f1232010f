/** Collects what is wrong with a file, each with its place. */
import { isAlias, isMap, isScalar, isSeq } from "yaml";
import { concealed, holdsSecrets, isOddKey } from "./secrets.ts";
import { keyRange, nodeAt, pathText, sourceOf, valueRange } from "./places.ts";
import type { Path } from "./places.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** What the rules between keys need of the file. */
export interface Judge {
  /** Takes what is wrong at a place; `about` says whether the key or the value is to be marked. */
  readonly complain: (path: Path, text: string, about?: "key" | "value") => void;
  /** Whether the file has a key, be its value right or wrong. */
  readonly has: (path: Path) => boolean;
  /** Line and column of what stands at a path, or of the section that lacks it, such as `12:5`. */
  readonly place: (path: Path) => string;
  /** The text of a value as it stands in the file, undefined for anything but a scalar. */
  readonly source: (path: Path) => string | undefined;
  /** A path to read, such as `gateways[hall]`. */
  readonly name: (path: Path) => string;
}

/** A judge that notes what it is told of a file. */
export function judgeOf(file: YamlFile, faults: Fault[]): Judge {
  return {
    complain: (path, text, about) => faults.push(mistakeAt(file, path, text, about)),
    has: (path) => nodeAt(file, path) !== undefined,
    place: (path) => {
      const { line, col } = file.lines.linePos(valueRange(file, path).start);
      return `${String(line)}:${String(col)}`;
    },
    source: (path) => sourceOf(nodeAt(file, path)),
    name: (path) => pathText(file, path),
  };
}

/** A mistake at a path: the path, then the text, which continues it as a sentence. */
export function mistakeAt(
  file: YamlFile,
  path: Path,
  text: string,
  about: "key" | "value" = "value",
): Fault {
  const range = about === "key" || isSecret(path) ? keyRange(file, path) : valueRange(file, path);
  const subject = path.length === 0 ? "the file" : pathText(file, path);
  return { ...range, text: `${subject} ${text}` };
}

/** What stands at a path, as a tail of an error: `, not 70000`. Shows the source, never a value. */
export function notThis(file: YamlFile, path: Path): string {
  if (isSecret(path)) return "";
  const node = nodeAt(file, path);
  if (isMap(node)) return ", not a section";
  if (isSeq(node)) return node.items.length === 0 ? ", not an empty list" : ", not a list";
  if (!isScalar(node) || isAlias(node)) return "";
  const source = concealed(node.source ?? "").replace(/\s+/g, " ");
  // A section that is text may be keys and values run together.
  if (path.length === 1 && holdsSecrets(path) && isOddKey(source) && source !== "") return "";
  if (source === "") return node.value === null ? ", but has no value" : ", not empty";
  return `, not ${source.length > 60 ? `${source.slice(0, 59)}…` : source}`;
}

function isSecret(path: Path): boolean {
  return path.at(-1) === "password";
}
