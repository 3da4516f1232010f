/** When devices that are left out are probed: a gateway's own words, else the defaults', key by key. */
import type { Probe } from "../core/model.ts";

/** What a section `probe` may say; every key may be missing. */
export type ProbeSettings =
  | "never"
  | { readonly first?: number | undefined; readonly max?: number | undefined };

/** Distances of probes when nothing is configured, as written. */
export const PROBE = { first: "30s", max: "5m" } as const;

/** The same in ms. */
const FIRST = 30_000;
const MAX = 300_000;

/** What holds for a gateway. */
export function probeOf(
  own: ProbeSettings | undefined,
  defaults: ProbeSettings | undefined,
): Probe {
  const said = own ?? defaults ?? {};
  if (said === "never") return "never";
  const inherited = defaults === undefined || defaults === "never" ? {} : defaults;
  const first = said.first ?? inherited.first ?? FIRST;
  return { first, max: said.max ?? inherited.max ?? MAX };
}

/** What is wrong with the distances that hold, undefined when nothing is. */
export function probeFault(
  own: ProbeSettings | undefined,
  defaults: ProbeSettings | undefined,
): string | undefined {
  const probe = probeOf(own, defaults);
  return probe !== "never" && probe.first > probe.max
    ? `must have a first that is not longer than max; unless given they are ${PROBE.first} and ${PROBE.max}, or those of defaults.probe`
    : undefined;
}
