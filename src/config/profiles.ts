/** The profiles a configuration names, each read once however many devices use it. */
import { readdirSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EdgepollError, messageOf } from "../core/errors.ts";
import type { PointSettings } from "./check-point.ts";
import { checkPoints } from "./check-points.ts";
import { examine } from "./examine.ts";
import { mergeOf } from "./merge.ts";
import { pathText } from "./places.ts";
import { codeOf, readText } from "./read-text.ts";
import { report } from "./report.ts";
import { profileSchema, type ProfileSettings } from "./schema-profile.ts";
import { similar } from "./similar.ts";
import { readYaml, type YamlFile } from "./yaml-document.ts";

const MOST_BYTES = 2 ** 20;
/** Shipped with edgepoll; both src/ and dist/ lie beside config/. */
const SHIPPED = fileURLToPath(new URL("../../config/profiles/", import.meta.url));
const NAME = /^[a-z0-9][a-z0-9_.-]*(\/[a-z0-9][a-z0-9_.-]*)*$/;
const PATH = /^\.{0,2}\/|\.ya?ml$/;
const OWN = "A file of your own is named by its path, such as ./meter.yaml";

/** A profile without mistakes. */
export interface Profile {
  /** Its name or path as the configuration has it: never a value from outside. */
  readonly written: string;
  readonly file: YamlFile;
  readonly settings: ProfileSettings;
}

/** A profile, nothing when its own mistakes are told elsewhere, or why there is none. */
export type FoundProfile =
  | { readonly profile: Profile }
  | { readonly fault: string }
  | { readonly mistaken: true };

/** Profiles by the way a device names them. */
export class Profiles {
  readonly #folder: string;
  readonly #found = new Map<string, FoundProfile>();
  readonly #reports: string[] = [];
  readonly #texts: string[] = [];
  readonly #withoutEffect: string[] = [];

  /** `config` is the path of the configuration; paths of profiles are relative to it. */
  constructor(config: string) {
    this.#folder = dirname(config);
  }

  /** Finds and checks a profile; `written` is its name as it stands in the file. */
  find(name: string, written: string): FoundProfile {
    const path = this.#pathOf(name);
    const known = this.#found.get(path);
    if (known !== undefined) return known;
    const found = this.#read(name, path, written);
    this.#found.set(path, found);
    return found;
  }

  /** The profile of a device, undefined without one. Throws `INTERNAL` when it was not checked. */
  of({ profile: name }: { readonly profile?: string | undefined }): Profile | undefined {
    if (name === undefined) return undefined;
    const found = this.#found.get(this.#pathOf(name));
    if (found !== undefined && "profile" in found) return found.profile;
    throw new EdgepollError("INTERNAL", `Profile ${name} was not checked.`);
  }

  /** The points of a device: those of its profile that it does not replace, then its own. */
  pointsOf(device: {
    readonly profile?: string | undefined;
    readonly points?: readonly PointSettings[] | undefined;
  }): readonly PointSettings[] {
    const own = device.points ?? [];
    const ids = new Set(own.map(({ id }) => id));
    const others = this.of(device)?.settings.points.filter(({ id }) => !ids.has(id)) ?? [];
    return [...others, ...own];
  }

  /** How many points a profile has; 0 for one that is wrong. */
  countOf(name: string): number {
    const found = this.#found.get(this.#pathOf(name));
    return found !== undefined && "profile" in found ? found.profile.settings.points.length : 0;
  }

  /** What is wrong with the files themselves. */
  reports(): readonly string[] {
    return this.#reports;
  }

  /** The texts that were read. */
  texts(): readonly string[] {
    return this.#texts;
  }

  /** Keys that have no effect in this version, each with its file. */
  withoutEffect(): readonly string[] {
    return this.#withoutEffect;
  }

  #pathOf(name: string): string {
    if (!PATH.test(name)) return `${SHIPPED}${name}.yaml`;
    return isAbsolute(name) ? name : join(this.#folder, name);
  }

  #read(name: string, path: string, written: string): FoundProfile {
    const isPath = PATH.test(name);
    if (!isPath && !NAME.test(name)) return { fault: unknown(name) };
    try {
      const text = readText(path, MOST_BYTES);
      return this.#check(text, written, name === written ? path : written);
    } catch (error) {
      if (error instanceof EdgepollError) throw error;
      if (!isPath && codeOf(error) === "ENOENT") return { fault: unknown(name) };
      const where = isAbsolute(name) ? "" : "; its path is relative to the folder of this file";
      return { fault: `names a file that ${messageOf(error)}${where}` };
    }
  }

  #check(text: string, written: string, shown: string): FoundProfile {
    this.#texts.push(text);
    const file = readYaml(text);
    const examined = examine(file, profileSchema, undefined, (draft, judge) => {
      checkPoints(draft.points ?? [], mergeOf(undefined, draft), ["points"], judge);
    });
    if ("faults" in examined) {
      this.#reports.push(report(shown, file, examined.faults));
      return { mistaken: true };
    }
    for (const { path } of examined.marked) {
      this.#withoutEffect.push(`${pathText(file, path)} in ${written}`);
    }
    return { profile: { written, file, settings: examined.settings } };
  }
}

/** Whether a profile is named by its path: it is not one that comes with edgepoll. */
export function isProfilePath(name: string): boolean {
  return PATH.test(name);
}

function unknown(name: string): string {
  const names = shippedNames();
  const guess = similar(name, names);
  const hint = guess === undefined ? `there are ${names.join(", ")}.` : `did you mean ${guess}?`;
  return `is not the name of a profile that comes with edgepoll; ${hint} ${OWN}`;
}

/** The names of the profiles that come with edgepoll. */
export function shippedNames(): string[] {
  const files = readdirSync(SHIPPED, { recursive: true, encoding: "utf8" });
  const profiles = files.filter((file) => file.endsWith(".yaml"));
  return profiles.map((file) => file.slice(0, -".yaml".length).replaceAll("\\", "/")).sort();
}
