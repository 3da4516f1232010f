/** The values a configuration comes to, each with where it comes from. Shows no secret. */
import { isMap } from "yaml";
import { intervalText } from "../core/interval-text.ts";
import { intervalsOf } from "./intervals.ts";
import { mergeOf } from "./merge.ts";
import { nodeAt, pathText, type Path } from "./places.ts";
import { PROBE } from "./probe.ts";
import type { Profile, Profiles } from "./profiles.ts";
import { schemaAt } from "./schema-at.ts";
import { profileSchema } from "./schema-profile.ts";
import { configSchema, type Settings } from "./schema.ts";
import { WrittenValues, type Effective, type Environment, type Schema } from "./written-values.ts";
import type { YamlFile } from "./yaml-document.ts";

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
export function effectiveValues(
  file: YamlFile,
  env: Environment,
  settings: Settings,
  profiles: Profiles,
): Effective[] {
  return new SiteValues(file, env, settings, profiles).below(configSchema, []);
}

class SiteValues extends WrittenValues {
  readonly #env: Environment;
  readonly #settings: Settings;
  readonly #profiles: Profiles;

  constructor(file: YamlFile, env: Environment, settings: Settings, profiles: Profiles) {
    super(file, env);
    this.#env = env;
    this.#settings = settings;
    this.#profiles = profiles;
  }

  override below(schema: Schema, path: Path): Effective[] {
    if (path.at(-1) === "merge" && (path.length === 3 || path.length === 5)) {
      return this.#merge(path);
    }
    if (path.at(-1) === "probe" && (path[0] === "defaults" || path.length === 3)) {
      return this.#probe(path);
    }
    const own = super.below(schema, path);
    if (path.at(-1) === "points" && path.length === 5)
      return [...this.#profilePoints(path), ...own];
    return own.length === 0 ? this.#inherited(path) : own;
  }

  #inherited(path: Path): Effective[] {
    const heirloom = INHERITED[placeOf(path)];
    if (heirloom === undefined) return [];
    const [value] = this.#valueAt(heirloom(path.slice(0, -1)));
    if (value === undefined) return [];
    const from = value.origin.kind === "inherited" ? value.origin.from : value.key;
    const inherited = this.effective(path, value.value, { kind: "inherited", from });
    return placeOf(path) === "gateways.timeout" ? this.#timeouts(path, inherited) : [inherited];
  }

  /** The default, or half the interval where that is less; one value where all schedules have the same. */
  #timeouts(path: Path, inherited: Effective): Effective[] {
    const { gateways, defaults } = this.#settings;
    const gateway = gateways[Number(path[1])];
    const intervals = gateway === undefined ? [] : intervalsOf(gateway, defaults, this.#profiles);
    if (intervals.every((interval) => interval / 2 >= defaults.timeout)) return [inherited];
    return intervals.map((interval): Effective => {
      const schedule = `${gateway?.id ?? ""}@${intervalText(interval)}`;
      if (interval / 2 >= defaults.timeout) return { ...inherited, schedule };
      const half = this.effective(path, intervalText(interval / 2), { kind: "half-interval" });
      return { ...half, schedule };
    });
  }

  /** The limits of a device are its own, else its profile's, else its gateway's; each may say only some. */
  #merge(path: Path): Effective[] {
    return MERGE.flatMap((key) => {
      const own = [...path, key];
      const node = nodeAt(this.file, own);
      if (node !== undefined) return [this.given(node, own)];
      if (path.length === 3) {
        const gateway = this.#settings.gateways[Number(path[1])];
        return [
          this.effective(own, String(mergeOf(gateway?.connection)[key]), { kind: "default" }),
        ];
      }
      const profile = this.#profileOf(path);
      if (profile?.settings.merge?.[key] !== undefined) {
        return this.#fromProfile(profile, ["merge", key], path);
      }
      const [value] = this.#merge([...path.slice(0, 2), "merge"]).slice(MERGE.indexOf(key));
      if (value === undefined || value.origin.kind === "default") return [];
      return [this.effective(own, value.value, { kind: "inherited", from: value.key })];
    });
  }

  /** A gateway may say only one of the distances of probes, and has the other from the defaults. */
  #probe(path: Path): Effective[] {
    const node = nodeAt(this.file, path);
    if (node !== undefined && !isMap(node)) return [this.given(node, path)];
    const before = path.length === 2 ? [] : this.#probe(["defaults", "probe"]);
    const [never] = before.filter(({ value }) => value === "never");
    if (node === undefined && never !== undefined) {
      return [this.effective(path, never.value, { kind: "inherited", from: never.key })];
    }
    return (["first", "max"] as const).map((key) => {
      const own = [...path, key];
      const child = nodeAt(this.file, own);
      if (child !== undefined) return this.given(child, own);
      const value = before.find((one) => one.key === `defaults.probe.${key}`);
      return value === undefined
        ? this.effective(own, PROBE[key], { kind: "default" })
        : this.effective(own, value.value, { kind: "inherited", from: value.key });
    });
  }

  #profilePoints(path: Path): Effective[] {
    const profile = this.#profileOf(path);
    if (profile === undefined) return [];
    const own = new Set(this.#deviceOf(path)?.points?.map(({ id }) => id));
    return profile.settings.points.flatMap(({ id, interval }, index) => {
      if (own.has(id)) return [];
      const values = this.#fromProfile(profile, ["points", index], path);
      if (interval !== undefined) return values;
      const inherited = this.#inherited([...path, 0, "interval"]);
      const key = `${pathText(this.file, path)}[${id}].interval`;
      return [...values, ...inherited.map((value) => ({ ...value, key }))];
    });
  }

  /** What a profile says, as keys of the device at the beginning of `path`. */
  #fromProfile(profile: Profile, part: Path, path: Path): Effective[] {
    const schema = schemaAt(profileSchema, part);
    if (schema === undefined) return [];
    const device = pathText(this.file, path.slice(0, 4));
    return new WrittenValues(profile.file, this.#env).below(schema, part).map((value) => {
      const { origin } = value;
      const key = `${device}.${value.key}`;
      if (origin.kind !== "file") return { ...value, key };
      return { ...value, key, origin: { ...origin, kind: "profile", profile: profile.written } };
    });
  }

  #deviceOf(path: Path) {
    return this.#settings.gateways[Number(path[1])]?.devices[Number(path[3])];
  }

  #profileOf(path: Path): Profile | undefined {
    return this.#profiles.of(this.#deviceOf(path) ?? {});
  }

  #valueAt(path: Path): Effective[] {
    const schema = schemaAt(configSchema, path);
    return schema === undefined ? [] : this.below(schema, path);
  }
}

function placeOf(path: Path): string {
  return path.filter((key) => typeof key === "string").join(".");
}
