/** What the system says about its wall clock. */
import { existsSync } from "node:fs";

const TIMESYNC = "/run/systemd/timesync";

/** False when systemd-timesyncd runs and has not synchronised the clock yet; true when it has, or nobody says. */
export function isClockSynced(directory = TIMESYNC): boolean {
  return !existsSync(directory) || existsSync(`${directory}/synchronized`);
}
