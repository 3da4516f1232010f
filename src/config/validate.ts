/** From a YAML file to settings, or to every mistake in it. */
import { addressWarnings } from "./address-warnings.ts";
import { checkRules } from "./check.ts";
import { examine } from "./examine.ts";
import { intervalsOf } from "./intervals.ts";
import { mistakeAt } from "./mistakes.ts";
import { nodeAt, pathText } from "./places.ts";
import type { Path } from "./places.ts";
import type { Profiles } from "./profiles.ts";
import { configSchema } from "./schema.ts";
import type { Settings } from "./schema.ts";
import type { Outside } from "./substitute.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** What became of a file: settings, or its faults. */
export type Validated =
  | {
      readonly settings: Settings;
      readonly withoutEffect: readonly string[];
      readonly warnings: readonly Fault[];
    }
  /** None when only profiles have mistakes. */
  | { readonly faults: readonly Fault[] };

/** Checks everything there is to check, in one run. */
export function validate(file: YamlFile, outside: Outside, profiles: Profiles): Validated {
  const examined = examine(file, configSchema, outside, (draft, judge) => {
    checkRules(draft, judge, profiles);
  });
  if ("faults" in examined) return examined;
  if (profiles.reports().length > 0) return { faults: [] };
  const { settings, marked } = examined;
  const withoutEffect = marked.map(({ path }) => pathText(file, path));
  const warnings = [
    ...pointless(file, settings),
    ...timeoutWarnings(file, settings, profiles),
    ...addressWarnings(file, settings, profiles),
  ];
  return {
    settings,
    withoutEffect: [...withoutEffect, ...profiles.withoutEffect()],
    warnings,
  };
}

/** Keys that work, but not together with the chosen broker. */
function pointless(file: YamlFile, { mqtt }: Settings): Fault[] {
  const [keys, text] =
    mqtt.broker === "embedded"
      ? [["username", "password"], "is for an external broker: the embedded one has no users yet"]
      : [["embedded"], "has no effect with an external broker"];
  return keys
    .map((key): Path => ["mqtt", key])
    .filter((path) => nodeAt(file, path) !== undefined)
    .map((path) => mistakeAt(file, path, text, "key"));
}

function timeoutWarnings(
  file: YamlFile,
  { gateways, defaults }: Settings,
  profiles: Profiles,
): Fault[] {
  return gateways.flatMap((gateway, index) => {
    const { timeout } = gateway;
    if (timeout === undefined) return [];
    const intervals = intervalsOf(gateway, defaults, profiles);
    if (intervals.every((interval) => timeout <= interval)) return [];
    const text =
      "is longer than the shortest interval of the gateway: an answer that takes so long costs slots";
    return [mistakeAt(file, ["gateways", index, "timeout"], text)];
  });
}
