/** A profile by itself, as the simulator serves it. */
import { resolve } from "node:path";
import { ConfigError } from "../core/errors.ts";
import type { MergeLimits, Point } from "../core/model.ts";
import { mergeOf } from "./merge.ts";
import { isProfilePath, Profiles } from "./profiles.ts";
import { pointOf } from "./resolve.ts";

/** What a profile holds. */
export interface ProfilePoints {
  readonly points: readonly Point[];
  readonly merge: MergeLimits;
}

/** ms; nothing is polled here. */
const INTERVAL = 1000;

/** A profile by its name or path, or what is wrong with that. Throws `ConfigError` for mistakes in the file. */
export function loadProfile(name: string): ProfilePoints | { readonly fault: string } {
  const profiles = new Profiles(".");
  const path = isProfilePath(name) ? resolve(name) : name;
  const found = profiles.find(path, name);
  if ("fault" in found) return found;
  if ("mistaken" in found) throw new ConfigError("CONFIG_INVALID", profiles.reports().join("\n"));
  const { settings } = found.profile;
  return {
    points: settings.points.map((point) => pointOf(point, INTERVAL)),
    merge: mergeOf(undefined, settings),
  };
}
