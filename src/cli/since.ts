/** The option `--since`: a duration before now, or a time. */
import { parseDuration } from "../config/units.ts";
import { wrong } from "./arguments.ts";
import { printable } from "./printable.ts";

/** The wall time that `--since` says, in ms; `now` is wall time. Throws `UsageError` that names `example`. */
export function sinceOf(text: string, now: number, example: string): number {
  const length = parseDuration(text);
  if (length !== undefined) return Math.max(0, now - length);
  // A day alone would be read as one of UTC.
  const time = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && Number.isFinite(time)) return Math.max(0, time);
  const what = `--since takes 1h, 7d or a time such as 2026-01-31T14:00, not "${printable(text)}"`;
  throw wrong(what, example);
}
