/** From a YAML file to settings, or to every mistake in it. */
import { checkRules } from "./check.ts";
import { draftOf, markedKeys } from "./draft.ts";
import { mistakesOf } from "./issues.ts";
import { judgeOf, mistakeAt } from "./mistakes.ts";
import { nodeAt, pathText } from "./places.ts";
import type { Path } from "./places.ts";
import { configSchema } from "./schema.ts";
import type { Settings } from "./schema.ts";
import type { Outside } from "./substitute.ts";
import { isPlanned, unpolledGateways } from "./unpolled.ts";
import { fillValues } from "./values.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** What became of a file: settings, or at least one fault. */
export type Validated =
  | {
      readonly settings: Settings;
      readonly withoutEffect: readonly string[];
      readonly warnings: readonly Fault[];
      /** What can be checked and planned, but not started. */
      readonly unpolled: readonly Fault[];
    }
  | { readonly faults: readonly Fault[] };

/** Checks everything there is to check, in one run. */
export function validate(file: YamlFile, outside: Outside): Validated {
  if (file.faults.length > 0) return { faults: file.faults };
  const unfilled = fillValues(file.contents, outside);
  const plain = plainOf(file);
  if (plain === undefined) {
    return {
      faults: [{ start: 0, end: 0, text: "anchors are used too often; write the parts out" }],
    };
  }
  const parsed = configSchema.safeParse(plain.value);
  const marked = markedKeys(plain.value);
  const faults = [
    ...unfilled.map(({ path, fault }) => mistakeAt(file, path, fault)),
    ...marked
      .filter(({ mark }) => mark === "refused")
      .map(({ path }) => mistakeAt(file, path, REFUSED, "key")),
    ...mistakesOf(file, parsed.error?.issues ?? []),
  ];
  checkRules(parsed.data ?? draftOf(plain.value), judgeOf(file, faults));
  if (parsed.data === undefined || faults.length > 0) return { faults: oneEach(faults) };
  const settings = parsed.data;
  const withoutEffect = marked
    .filter(({ path }) => !isPlanned(settings, path))
    .map(({ path }) => pathText(file, path));
  const warnings = [...pointless(file, settings), ...timeoutWarnings(file, settings)];
  return { settings, withoutEffect, warnings, unpolled: unpolledGateways(file, settings) };
}

const REFUSED =
  "is not in this version yet; it is refused so that nobody relies on it. Leave it out for now";

function plainOf(file: YamlFile): { value: unknown } | undefined {
  try {
    return { value: file.toPlain() };
  } catch {
    // Thrown for aliases that multiply beyond measure; all else was found before.
    return undefined;
  }
}

/** A value that could not be filled in is wrong for that reason only; the first fault of a place counts. */
function oneEach(faults: readonly Fault[]): Fault[] {
  const unique = new Map<string, Fault>();
  for (const fault of faults) {
    const place = `${String(fault.start)}-${String(fault.end)}`;
    if (!unique.has(place)) unique.set(place, fault);
  }
  return [...unique.values()];
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

function timeoutWarnings(file: YamlFile, { gateways, defaults }: Settings): Fault[] {
  return gateways.flatMap((gateway, index) => {
    const { timeout } = gateway;
    if (timeout === undefined) return [];
    const intervals = gateway.devices.flatMap((device) =>
      (device.points ?? []).map(
        (point) => point.interval ?? device.interval ?? gateway.interval ?? defaults.interval,
      ),
    );
    if (intervals.every((interval) => timeout <= interval)) return [];
    const text =
      "is longer than the shortest interval of the gateway: an answer that takes so long costs slots";
    return [mistakeAt(file, ["gateways", index, "timeout"], text)];
  });
}
