/** How large a configuration is, and what of it has no effect. */
import { count } from "./counts.ts";

/** What there is to poll. */
export interface Sizes {
  readonly gateways: number;
  readonly devices: number;
  readonly points: number;
  /** Of one poll of every schedule. */
  readonly requests: number;
}

/** The sizes as words. */
export function sizesText({ gateways, devices, points, requests }: Sizes): string {
  return [
    count(gateways, "gateway"),
    count(devices, "device"),
    count(points, "point"),
    count(requests, "request"),
  ].join(", ");
}

/** Keys of the configuration that do nothing yet, on one line. */
export function withoutEffectText(keys: readonly string[]): string {
  return `${keys.join(", ")} (not in this version)`;
}
