/** The profiles that come with edgepoll, as they would be polled. */
import type { Point } from "../core/model.ts";
import { Profiles, shippedNames } from "./profiles.ts";
import { pointOf } from "./resolve.ts";

/** A profile and its points. */
export interface ShippedProfile {
  readonly name: string;
  readonly points: readonly Point[];
}

/** ms; nothing that uses it polls. */
const INTERVAL = 1000;

/** All profiles that come with edgepoll. */
export function shippedProfiles(): readonly ShippedProfile[] {
  const profiles = new Profiles("");
  return shippedNames().flatMap((name) => {
    const found = profiles.find(name, name);
    if (!("profile" in found)) return [];
    const points = profiles.pointsOf({ profile: name });
    return [{ name, points: points.map((point) => pointOf(point, INTERVAL)) }];
  });
}
