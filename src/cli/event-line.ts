/** A line of the audit trail, for people. */
import { EVENT_KINDS, type AuditEvent } from "../core/payloads.ts";
import { localTime, withLocalTimes } from "./local-time.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";

/** Room for the kinds there are, so that lines which come one by one stand in columns. */
const KIND_WIDTH = Math.max(...EVENT_KINDS.map((kind) => kind.length));
const PLACE_WIDTH = 16;

/** Local time, kind, gateway and device, text. */
export function eventLine({ at, kind, gateway, device, text }: AuditEvent, paint: Paint): string {
  const place = [gateway, device].filter((id) => id !== undefined).join("/") || "-";
  const cells = [printable(kind).padEnd(KIND_WIDTH), printable(place).padEnd(PLACE_WIDTH)];
  return `${paint("dim", localTime(at))}  ${cells.join("  ")}  ${printable(withLocalTimes(text))}`;
}
