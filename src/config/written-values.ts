/** The values of a file as they stand in it, with defaults where the schema has them. Shows no secret. */
import { isMap, isScalar, isSeq } from "yaml";
import type { Node } from "yaml";
import { z } from "zod";
import { nodeAt, pathText, sourceOf, valueRange, type Path } from "./places.ts";
import { concealed } from "./secrets.ts";
import { bare, childSchema, keysOf } from "./schema-at.ts";
import { hasSubstitution } from "./substitute.ts";
import type { YamlFile } from "./yaml-document.ts";

/** A part of a schema. */
export type Schema = z.core.$ZodType;
/** An environment variable by name, undefined if it is not set. */
export type Environment = (name: string) => string | undefined;

/** Where a value comes from. */
export type Origin =
  | { readonly kind: "file"; readonly line: number; readonly column: number }
  /** Written in the file as a reference; what it stands for is not shown. */
  | {
      readonly kind: "outside";
      readonly line: number;
      readonly column: number;
      /** Such as `environment MQTT_PASSWORD`. */
      readonly from: readonly string[];
    }
  /** Written in a profile, which is named as in the configuration. */
  | {
      readonly kind: "profile";
      readonly profile: string;
      readonly line: number;
      readonly column: number;
    }
  /** Not given here: that of another key. */
  | { readonly kind: "inherited"; readonly from: string }
  /** Not given here: half the interval of the schedule, which is less than the default. */
  | { readonly kind: "half-interval" }
  | { readonly kind: "default" };

/** A value that is in force. */
export interface Effective {
  /** Such as `gateways[hall].interval`. */
  readonly key: string;
  /** As written; secrets are stars, values from outside are their references. */
  readonly value: string;
  /** Such as `hall@1s`, where the schedules of a gateway differ; the key then stands once for each. */
  readonly schedule?: string;
  readonly origin: Origin;
}

/** Reads the values of one file without mistakes. */
export class WrittenValues {
  protected readonly file: YamlFile;
  readonly #env: Environment;

  constructor(file: YamlFile, env: Environment) {
    this.file = file;
    this.#env = env;
  }

  /** The values at and below a path; none for an optional key that is not given. */
  below(schema: Schema, path: Path): Effective[] {
    const inner = bare(schema);
    const node = nodeAt(this.file, path);
    if (node === undefined && schema instanceof z.ZodOptional) return [];
    if (isSeq(node)) {
      const element = inner instanceof z.ZodArray ? inner.element : inner;
      return node.items.flatMap((_, index) => this.below(element, [...path, index]));
    }
    if (inner instanceof z.ZodObject || isMap(node)) {
      const keys = inner instanceof z.ZodObject ? keysOf(inner) : namesOf(node, inner);
      return keys.flatMap((key) => {
        const child = childSchema(inner, key);
        return child === undefined ? [] : this.below(child, [...path, key]);
      });
    }
    return [node === undefined ? this.#default(schema, path) : this.given(node, path)];
  }

  protected given(node: Node, path: Path): Effective {
    const { lines } = this.file;
    const { line, col: column } = lines.linePos(valueRange(this.file, path).start);
    const source = sourceOf(node) ?? "";
    if (!hasSubstitution(source)) {
      const value = isScalar(node) && node.value === null ? "" : source;
      return this.effective(path, value, { kind: "file", line, column });
    }
    const from = sourcesOf(source, this.#env);
    return this.effective(path, source, { kind: "outside", line, column, from });
  }

  protected effective(path: Path, value: string, origin: Origin): Effective {
    const shown = path.at(-1) === "password" ? "********" : concealed(value);
    return { key: pathText(this.file, path), value: shown, origin };
  }

  #default(schema: Schema, path: Path): Effective {
    const fallback: unknown = schema instanceof z.ZodPrefault ? schema.def.defaultValue : "";
    return this.effective(path, String(fallback), { kind: "default" });
  }
}

function namesOf(node: unknown, inner: Schema): string[] {
  if (!isMap(node)) return keysOf(inner);
  return node.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : []));
}

/** Where the parts of a text with references come from, in words; never what they stand for. */
function sourcesOf(source: string, env: (name: string) => string | undefined): string[] {
  return [...source.matchAll(/\$\{(ENV|FILE|CRED):([^}]*)\}/g)].map(([, kind, rest = ""]) => {
    if (kind === "FILE") return `file ${rest}`;
    if (kind === "CRED") return `credential ${rest}`;
    const [name = "", fallback] = rest.split(/:-(.*)/s);
    const unset = (env(name) ?? "") === "" && fallback !== undefined;
    return unset ? `the default written here: ${name} is not set` : `environment ${name}`;
  });
}
