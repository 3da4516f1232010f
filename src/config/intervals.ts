/** The intervals at which a gateway is polled. */
import type { Profiles } from "./profiles.ts";
import type { Settings } from "./schema.ts";

/** Each interval of a gateway's schedules once, the shortest first, ms. */
export function intervalsOf(
  gateway: Settings["gateways"][number],
  defaults: Settings["defaults"],
  profiles: Profiles,
): number[] {
  const intervals = gateway.devices.flatMap((device) => {
    const inherited = device.interval ?? gateway.interval ?? defaults.interval;
    return profiles.pointsOf(device).map((point) => point.interval ?? inherited);
  });
  return [...new Set(intervals)].sort((a, b) => a - b);
}
