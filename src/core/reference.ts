/** The 1-based notation of an address. */
import type { Table } from "./model.ts";

/** Table and 1-based number, six digits, such as `400001`. */
export function referenceOf(table: Table, address: number): string {
  const digit = { coil: "0", discrete: "1", input: "3", holding: "4" }[table];
  return digit + String(address + 1).padStart(5, "0");
}
