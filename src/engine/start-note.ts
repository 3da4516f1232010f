/** What the audit trail says of a start. */
import type { Happening } from "./journal.ts";
import type { StartReport } from "./opening.ts";

/** The event of a start, with what was found out about the time before. */
export function startedEvent(
  node: string,
  version: string,
  { unknown, missed, stopped }: StartReport,
): Happening {
  const away =
    unknown + missed > 0
      ? `; ${String(unknown)} slots unknown, ${String(missed)} missed while it was away`
      : "";
  const data = { unknown, missed, stopped: stopped.map(({ gateway }) => gateway) };
  return { kind: "node-started", text: `${node} started, version ${version}${away}`, data };
}
