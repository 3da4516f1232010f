/** What an audit found, for people: each finding with what to do next, what was removed, what was not seen. */
import type { Audit, AuditFinding, AuditKind } from "../core/audit.ts";
import { count } from "./counts.ts";
import { withLocalTimes } from "./local-time.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";

/** What the text is drawn with. */
export interface AuditDrawing {
  readonly paint: Paint;
  readonly caller: string;
  /** The options that name the node, and those that name its configuration. */
  readonly sameNode: string;
  readonly sameFile: string;
}

/** The kinds in words, as they stand in front of a finding. */
const WORDS: Readonly<Record<AuditKind, string>> = {
  "other-master": "other master",
  "other-node": "other node",
  "enabled-twice": "enabled twice",
  "poller-unit": "other poller",
  "poller-cron": "cron",
  "orphaned-claim": "orphaned claim",
  "retained-topic": "retained topic",
  "stale-socket": "stale socket",
  "leftover-file": "leftover file",
  "closed-schedule": "closed schedule",
};

/** The lines. */
export function auditLines(audit: Audit, draw: AuditDrawing): string[] {
  const { paint } = draw;
  const { findings, more, removed, unseen } = audit;
  return [
    ...findings.flatMap((finding) => findingLines(finding, draw)),
    ...(more === 0 ? [] : [`and ${count(more, "finding")} more`]),
    ...removed.map(
      ({ text }) => `${paint("green", "removed")}  ${printable(withLocalTimes(text))}`,
    ),
    ...unseen.map(
      ({ text }) => `${paint("yellow", "not looked at")}  ${printable(withLocalTimes(text))}`,
    ),
    verdict(audit, draw),
  ];
}

function findingLines({ kind, text, next }: AuditFinding, draw: AuditDrawing): string[] {
  return [
    `${draw.paint("red", WORDS[kind])}  ${printable(withLocalTimes(text))}`,
    `  next: ${printable(nextLine(next, draw))}`,
  ];
}

/** A command of edgepoll as it is called here; others as they are. */
function nextLine(next: string, { caller, sameNode, sameFile }: AuditDrawing): string {
  const [, sudo = "", command] = /^(sudo )?edgepoll (\w+)/.exec(next) ?? [];
  if (command === undefined) return next;
  const options = command === "config" ? sameFile : sameNode;
  return `${sudo}${caller} ${next.slice(next.indexOf(command))}${options}`;
}

function verdict({ findings, more, removed, unseen }: Audit, { paint }: AuditDrawing): string {
  const found = findings.length + more;
  const rest = removed.length === 0 ? "" : `, ${count(removed.length, "leftover")} removed`;
  if (found > 0) return `${paint("red", count(found, "finding"))}${rest}`;
  const where = unseen.length === 0 ? "nothing found" : "nothing found where it could be looked";
  return `${paint("green", where)}${rest}`;
}
