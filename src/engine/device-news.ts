/** What a change of a device is on the audit trail: at most one event for a device and slot. */
import type { Clock } from "../core/ports.ts";
import type { DeviceChange } from "./devices.ts";
import type { Happening } from "./journal.ts";

/** The event of a change, undefined when it is none. */
export function newsOf(change: DeviceChange, clock: Clock): Happening | undefined {
  const { gateway, state, failures } = change;
  const { id: device, online, reason } = state;
  const why = reason === null ? {} : { reason };
  if (change.breaker === "opened") {
    const text = `${device} gave no answer ${String(failures)} times in a row; ${nextProbe(change, clock)}`;
    return { kind: "device-open", gateway, device, text, data: { failures, ...why } };
  }
  if (change.breaker === "closed") {
    const text = `${device} answers again after ${String(failures)} times without${reason === null ? "" : `, but has no good read: ${reason}`}`;
    return { kind: "device-closed", gateway, device, text, data: { failures, ...why } };
  }
  const isNews = change.online === "changed" || (change.online === "first" && online !== true);
  if (!isNews) return undefined;
  const kind = online === true ? "device-online" : "device-offline";
  const text =
    online === true ? `${device} answers again` : `${device} has no good read: ${reason ?? ""}`;
  return { kind, gateway, device, text, ...(reason === null ? {} : { data: why }) };
}

function nextProbe({ state }: DeviceChange, clock: Clock): string {
  const { nextProbe: at } = state.breaker;
  if (at === null) return "it is left out until it is enabled";
  return `next probe in ${String(Math.max(1, Math.round((at - clock.elapsed()) / 1000)))} s`;
}
