/** Addresses that are references by the look of them: the most frequent slip with a manual at hand. */
import type { PointSettings } from "./check-point.ts";
import { mistakeAt } from "./mistakes.ts";
import type { Path } from "./places.ts";
import type { Profiles } from "./profiles.ts";
import { addressAsReference, type Place } from "./reference.ts";
import type { Settings } from "./schema.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** A warning for each device and each profile, at the first of its points whose address looks like a reference. */
export function addressWarnings(
  file: YamlFile,
  { gateways }: Settings,
  profiles: Profiles,
): Fault[] {
  const told = new Set<unknown>();
  const warnings = gateways.flatMap(({ devices }, gateway) =>
    devices.flatMap((device, index) => {
      const path: Path = ["gateways", gateway, "devices", index];
      const profile = profiles.of(device);
      const isTold = profile === undefined || told.has(profile);
      told.add(profile);
      return [
        ...ownWarning(file, device.points ?? [], path),
        ...(isTold ? [] : profileWarning(file, profile.settings.points, path)),
      ];
    }),
  );
  // Points that devices share by an alias stand in one place.
  const seen = new Set<number>();
  return warnings.filter(({ start }) => !seen.has(start) && seen.add(start));
}

interface Odd {
  readonly index: number;
  readonly id: string;
  readonly address: number;
  readonly meant: Place;
}

function oddOf(points: readonly PointSettings[]): Odd[] {
  // They are SunSpec's, whose addresses are like this.
  if (points.some(({ scaleRegister }) => scaleRegister !== undefined)) return [];
  return points.flatMap(({ id, table, address }, index) => {
    if (table === undefined || address === undefined) return [];
    const meant = addressAsReference({ table, address });
    return meant === undefined ? [] : [{ index, id, address, meant }];
  });
}

function ownWarning(file: YamlFile, points: readonly PointSettings[], path: Path): Fault[] {
  const [first, ...others] = oddOf(points);
  if (first === undefined) return [];
  const text = `may be a reference${andMore(others)}: ${hintFor(first)}`;
  return [mistakeAt(file, [...path, "points", first.index, "address"], text)];
}

function profileWarning(file: YamlFile, points: readonly PointSettings[], path: Path): Fault[] {
  const [first, ...others] = oddOf(points);
  if (first === undefined) return [];
  const text = `has ${first.id} at ${String(first.address)}, which may be a reference`;
  return [mistakeAt(file, [...path, "profile"], `${text}${andMore(others)}: ${hintFor(first)}`)];
}

function andMore({ length }: readonly Odd[]): string {
  return length === 0 ? "" : ` (and those of ${String(length)} more of its points)`;
}

function hintFor({ address, meant }: Odd): string {
  const written = String(address);
  return (
    `addresses of ${meant.table} count from 0. If the manual counts from ` +
    `1, ${written} is address ${String(meant.address)}: write reference: ${written} in place of table and ` +
    "address. Some devices, such as those with SunSpec, do have addresses like this"
  );
}
