/** The values a configuration comes to, each with where it comes from. Shows no secret. */
import { isMap, isScalar, isSeq } from "yaml";
import type { Node } from "yaml";
import { z } from "zod";
import { mergeOf } from "./check.ts";
import { nodeAt, pathText, sourceOf, valueRange, type Path } from "./places.ts";
import { PROBE } from "./probe.ts";
import { concealed } from "./report.ts";
import { bare, childSchema, keysOf } from "./schema-at.ts";
import { configSchema } from "./schema.ts";
import { hasSubstitution } from "./substitute.ts";
import type { YamlFile } from "./yaml-document.ts";

type Schema = z.core.$ZodType;

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
  /** Not given here: that of another key. */
  | { readonly kind: "inherited"; readonly from: string }
  | { readonly kind: "default" };

/** A value that is in force. */
export interface Effective {
  /** Such as `gateways[hall].interval`. */
  readonly key: string;
  /** As written; secrets are stars, values from outside are their references. */
  readonly value: string;
  readonly origin: Origin;
}

/** What a key that is not given takes its value from, given the path of its section. */
type Heirloom = (section: Path) => Path;

const fromDefaults = (key: string): Heirloom => {
  return () => ["defaults", key];
};
const fromGateway = (key: string): Heirloom => {
  return (section) => [...section.slice(0, 2), key];
};

/** Keys that inherit, by their path without indexes. */
const INHERITED: Readonly<Record<string, Heirloom>> = {
  "gateways.interval": fromDefaults("interval"),
  "gateways.timeout": fromDefaults("timeout"),
  "gateways.retries": fromDefaults("retries"),
  "gateways.failureThreshold": fromDefaults("failureThreshold"),
  "gateways.devices.interval": fromGateway("interval"),
  "gateways.devices.points.interval": (section) => [...section.slice(0, 4), "interval"],
};
const MERGE = ["maxGap", "maxRegisters", "maxBits"] as const;

/** Every value in force of a file without mistakes, in the order of the schema. */
export function effectiveValues(file: YamlFile, env: (name: string) => string | undefined) {
  return new Effectives(file, env).below(configSchema, []);
}

class Effectives {
  readonly #file: YamlFile;
  readonly #env: (name: string) => string | undefined;

  constructor(file: YamlFile, env: (name: string) => string | undefined) {
    this.#file = file;
    this.#env = env;
  }

  /** The values at and below a path. */
  below(schema: Schema, path: Path): Effective[] {
    const inner = bare(schema);
    const node = nodeAt(this.#file, path);
    if (isMerge(path)) return this.#merge(path);
    if (isProbe(path)) return this.#probe(path);
    if (node === undefined && schema instanceof z.ZodOptional) return this.#inherited(path);
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
    return [node === undefined ? this.#default(schema, path) : this.#given(node, path)];
  }

  #default(schema: Schema, path: Path): Effective {
    const fallback: unknown = schema instanceof z.ZodPrefault ? schema.def.defaultValue : "";
    return this.#effective(path, String(fallback), { kind: "default" });
  }

  #given(node: Node, path: Path): Effective {
    const { lines } = this.#file;
    const { line, col: column } = lines.linePos(valueRange(this.#file, path).start);
    const source = sourceOf(node) ?? "";
    if (!hasSubstitution(source)) {
      const value = isScalar(node) && node.value === null ? "" : source;
      return this.#effective(path, value, { kind: "file", line, column });
    }
    const from = sourcesOf(source, this.#env);
    return this.#effective(path, source, { kind: "outside", line, column, from });
  }

  #inherited(path: Path): Effective[] {
    const heirloom = INHERITED[path.filter((key) => typeof key === "string").join(".")];
    if (heirloom === undefined) return [];
    const [value] = this.#valueAt(heirloom(path.slice(0, -1)));
    if (value === undefined) return [];
    const from = value.origin.kind === "inherited" ? value.origin.from : value.key;
    return [this.#effective(path, value.value, { kind: "inherited", from })];
  }

  /** The limits of a gateway are those of its devices; both may say only some of them. */
  #merge(path: Path): Effective[] {
    return MERGE.flatMap((key) => {
      const own = [...path, key];
      const node = nodeAt(this.#file, own);
      if (node !== undefined) return [this.#given(node, own)];
      if (path.length === 3) {
        return [this.#effective(own, String(mergeOf({}, {})[key]), { kind: "default" })];
      }
      const [value] = this.#merge([...path.slice(0, 2), "merge"]).slice(MERGE.indexOf(key));
      if (value === undefined || value.origin.kind === "default") return [];
      return [this.#effective(own, value.value, { kind: "inherited", from: value.key })];
    });
  }

  /** A gateway may say only one of the distances of probes, and has the other from the defaults. */
  #probe(path: Path): Effective[] {
    const node = nodeAt(this.#file, path);
    if (node !== undefined && !isMap(node)) return [this.#given(node, path)];
    const before = path.length === 2 ? [] : this.#probe(["defaults", "probe"]);
    const [never] = before.filter(({ value }) => value === "never");
    if (node === undefined && never !== undefined) {
      return [this.#effective(path, never.value, { kind: "inherited", from: never.key })];
    }
    return (["first", "max"] as const).map((key) => {
      const own = [...path, key];
      const child = nodeAt(this.#file, own);
      if (child !== undefined) return this.#given(child, own);
      const value = before.find((one) => one.key === `defaults.probe.${key}`);
      return value === undefined
        ? this.#effective(own, PROBE[key], { kind: "default" })
        : this.#effective(own, value.value, { kind: "inherited", from: value.key });
    });
  }

  #valueAt(path: Path): Effective[] {
    const schema = path.reduce<Schema | undefined>(
      (found, key) => (found === undefined ? undefined : childSchema(found, key)),
      configSchema,
    );
    return schema === undefined ? [] : this.below(schema, path);
  }

  #effective(path: Path, value: string, origin: Origin): Effective {
    const shown = path.at(-1) === "password" ? "********" : concealed(value);
    return { key: pathText(this.#file, path), value: shown, origin };
  }
}

function isMerge(path: Path): boolean {
  return path.at(-1) === "merge" && (path.length === 3 || path.length === 5);
}

function isProbe(path: Path): boolean {
  return path.at(-1) === "probe" && (path[0] === "defaults" || path.length === 3);
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
