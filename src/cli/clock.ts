/** The clock of the commands that wait or count back from now. */
import { EdgepollError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";

/** The machine's clock. TODO(lead): `export { createClock } from "../app/clock.ts"` in place of this file's body. */
export function createClock(): Clock {
  throw new EdgepollError("INTERNAL", "The command line has not been given a clock yet");
}
