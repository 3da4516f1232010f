/** A serial line that the user of this process may not open. */
import { PermissionError } from "../core/errors.ts";
import { denialOf } from "../modbus/serial-error.ts";

/** A line that may not be opened is its user's to put right, whatever device is on it. Throws `PermissionError`. */
export async function refuseDenied(path: string): Promise<void> {
  const denial = await denialOf(path);
  if (denial === undefined) return;
  throw new PermissionError("PERMISSION", `N${denial.slice(1)}`);
}
