/** What an audit came to: what is left over, and who else is at work, in words. */

/** What an audit can find, in the order in which it needs action. */
export const AUDIT_KINDS = [
  "other-master",
  "other-node",
  "enabled-twice",
  "poller-unit",
  "poller-cron",
  "orphaned-claim",
  "retained-topic",
  "stale-socket",
  "leftover-file",
  "closed-schedule",
] as const;

/** One of `AUDIT_KINDS`. */
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** Something that should not be there. */
export interface AuditFinding {
  readonly kind: AuditKind;
  readonly gateway?: string;
  /** A tty, host and port, a topic, a schedule, a file with its line. */
  readonly where: string;
  /** What is there, and the likely cause. */
  readonly text: string;
  /** The command to try next; one of edgepoll is for a command line that is called `edgepoll`. */
  readonly next: string;
}

/** Something that was removed. */
export interface Removed {
  readonly kind: AuditKind | "expired-transaction";
  readonly where: string;
  /** What it was. */
  readonly text: string;
}

/** What could not be looked at, and why. */
export interface Unseen {
  readonly part: "machine" | "broker" | "configuration";
  readonly text: string;
}

/** The data of a reply to `audit`. */
export interface Audit {
  /** What is still there, what needs action first in front. */
  readonly findings: readonly AuditFinding[];
  /** Further findings that are not told one by one. */
  readonly more: number;
  readonly removed: readonly Removed[];
  readonly unseen: readonly Unseen[];
  /** Endpoints that other processes were looked for at. */
  readonly endpoints: readonly WatchedEndpoint[];
}

/** An endpoint of the configuration, and where it lies on this machine or its network. */
export interface WatchedEndpoint {
  /** As the findings name it: a path, or host and port. */
  readonly name: string;
  readonly gateways: readonly string[];
  /** The path of a tty, as configured; absent for one that is reached over the network. */
  readonly tty?: string;
  readonly port?: number;
  /** Addresses of the host; none when its name can't be resolved. */
  readonly addresses?: readonly string[];
}

/** Findings that are told one by one; the rest is counted. */
const MOST_TOLD = 100;

/** Findings in the order in which they need action, not more than are of use. */
export function arrangeFindings(
  findings: readonly AuditFinding[],
): Pick<Audit, "findings" | "more"> {
  const rank = ({ kind }: AuditFinding) => AUDIT_KINDS.indexOf(kind);
  const sorted = findings.toSorted(
    (a, b) => rank(a) - rank(b) || (a.where < b.where ? -1 : Number(a.where > b.where)),
  );
  const told = sorted.slice(0, MOST_TOLD);
  return { findings: told, more: sorted.length - told.length };
}
