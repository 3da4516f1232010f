/** What the audit trail says of the start and the end of a node. */
import { accountParts } from "../core/account-change.ts";
import { count } from "../core/count.ts";
import type { Happening } from "./journal.ts";
import type { StartReport } from "./opening.ts";

/** Who starts, and whether the one before ended without a stop. */
export interface Starting {
  readonly node: string;
  readonly version: string;
  readonly hasDied: boolean;
}

/** The event of a start, with what was found out about the time before. */
export function startedEvent(
  { node, version, hasDied }: Starting,
  { unknown, missed, stopped, closed, opened }: StartReport,
): Happening {
  const died = hasDied ? ["no stop is on record before it (a kill, a power cut, a restore)"] : [];
  const away =
    unknown + missed > 0
      ? [`${count(unknown, "slot")} unknown, ${String(missed)} missed while it was away`]
      : [];
  const still = stopped.map(({ gateway }) => gateway);
  const parts = [
    `${node} started, version ${version}`,
    ...died,
    ...away,
    ...accountParts(closed, opened),
  ];
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
