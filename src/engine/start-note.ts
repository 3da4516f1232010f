/** What the audit trail says of the start and the end of a node. */
import { accountParts } from "../core/account-change.ts";
import { count } from "../core/count.ts";
import type { Happening } from "./journal.ts";
import type { StartReport } from "./opening.ts";

/** The event of a start, with what was found out about the time before. */
export function startedEvent(
  node: string,
  version: string,
  { unknown, missed, stopped, closed, opened }: StartReport,
): Happening {
  const away =
    unknown + missed > 0
      ? [`${count(unknown, "slot")} unknown, ${String(missed)} missed while it was away`]
      : [];
  const still = stopped.map(({ gateway }) => gateway);
  const parts = [`${node} started, version ${version}`, ...away, ...accountParts(closed, opened)];
  const data = { unknown, missed, stopped: still, closed, opened };
  return { kind: "node-started", text: parts.join("; "), data };
}

/** Why a node ends: asked for by somebody, or because of something. */
export type Why =
  | { readonly by: string; readonly because?: never }
  | { readonly because: string; readonly by?: never };

/** The event of an end in order. */
export function stoppedEvent(node: string, why?: Why): Happening {
  const kind = "node-stopped";
  if (why?.by !== undefined) return { kind, by: why.by, text: `${node} stops, asked by ${why.by}` };
  const because = why === undefined ? "" : `: ${why.because}`;
  return { kind, text: `${node} stops${because}` };
}
