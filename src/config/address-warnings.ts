/** Addresses that are references by the look of them: the most frequent slip with a manual at hand. */
import { mistakeAt } from "./mistakes.ts";
import { addressAsReference } from "./reference.ts";
import type { Settings } from "./schema.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** A warning for each device, at the first of its points whose address looks like a reference. */
export function addressWarnings(file: YamlFile, { gateways }: Settings): Fault[] {
  const warnings = gateways.flatMap(({ devices }, gateway) =>
    devices.flatMap(({ points = [] }, device) => {
      const odd = points.flatMap(({ table, address }, point) => {
        if (table === undefined || address === undefined) return [];
        const meant = addressAsReference({ table, address });
        return meant === undefined ? [] : [{ point, address, meant }];
      });
      const [first] = odd;
      if (first === undefined) return [];
      const path = ["gateways", gateway, "devices", device, "points", first.point, "address"];
      const text = warningOf(first.address, first.meant.address, first.meant.table, odd.length - 1);
      return [mistakeAt(file, path, text)];
    }),
  );
  // Points that devices share by an alias stand in one place.
  const seen = new Set<number>();
  return warnings.filter(({ start }) => !seen.has(start) && seen.add(start));
}

function warningOf(address: number, meant: number, table: string, others: number): string {
  const more = others === 0 ? "" : ` (and those of ${String(others)} more of its points)`;
  const written = String(address);
  return (
    `may be a reference${more}: addresses of ${table} count from 0. If the manual counts from ` +
    `1, ${written} is address ${String(meant)}: write reference: ${written} in place of table and ` +
    "address. Some devices, such as those with SunSpec, do have addresses like this"
  );
}
