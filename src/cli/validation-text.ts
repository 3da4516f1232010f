/** What `validate` found, for people: one table, the sum, and each finding with what to do next. */
import { MISS_REASONS, type Counts, type MissReason } from "../core/outcome.ts";
import type { Finding, ScheduleRow, Validation, WorstGap } from "../core/validation.ts";
import { columns } from "./columns.ts";
import { count } from "./counts.ts";
import { interval, milliseconds } from "./durations.ts";
import { asCalled } from "./failure.ts";
import { localTime, withLocalTimes } from "./local-time.ts";
import { toStart } from "./node-options.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./printable.ts";

/** What the text is drawn with. */
export interface ValidationDrawing {
  readonly paint: Paint;
  readonly caller: string;
  /** The options that name the node. */
  readonly sameNode: string;
  /** Whether a node answered, or the directory was read. */
  readonly live: boolean;
}

const HEADING = [
  ...["gateway", "interval", "due", "good", "partial", "failed", "missed", "unknown"],
  ...["worst gap", "late p50", "late p99"],
];

/** Why a slot was missed, in words. */
const MISSED: Readonly<Record<MissReason, string>> = {
  stopped: "by command",
  suspended: "the machine slept",
  down: "no node ran",
  disabled: "all devices were left out, as they gave no answer",
  store: "the disk took no claim",
  busy: "the slot before, or others on the line, took too long",
  late: "the process was held up",
};
const UNKNOWN =
  "claimed, and the process died before the outcome was on disk; perhaps polled, never polled again";

/** The lines. */
export function validationLines(validation: Validation, draw: ValidationDrawing): string[] {
  const { paint } = draw;
  const { schedules, findings, more } = validation;
  const heading = HEADING.map((word) => paint("dim", word));
  return [
    ...(schedules.length === 0 ? [] : columns([heading, ...schedules.map(rowOf)])),
    ...legendLines(schedules),
    ...openLines(schedules, draw.live),
    ...findings.flatMap((finding) => findingLines(finding, draw)),
    ...(more === 0 ? [] : [`and ${count(more, "finding")} more`]),
    verdict(validation, paint),
  ];
}

function rowOf(row: ScheduleRow): string[] {
  const { due, good, partial, failed, unknown, late } = row;
  return [
    row.gateway,
    interval(row.interval),
    ...[due, good, partial, failed].map(String),
    missedText(row.missed),
    String(unknown),
    gapText(row.worstGap),
    milliseconds(late.p50),
    milliseconds(late.p99),
  ];
}

/** `75 (down 70, busy 5)`, the first that hold first. */
function missedText(missed: Counts["missed"]): string {
  const parts = MISS_REASONS.flatMap((reason) => {
    const slots = missed[reason] ?? 0;
    return slots === 0 ? [] : [`${reason} ${String(slots)}`];
  });
  const sum = MISS_REASONS.reduce((slots, reason) => slots + (missed[reason] ?? 0), 0);
  return parts.length === 0 ? "0" : `${String(sum)} (${parts.join(", ")})`;
}

function gapText(gap: WorstGap | null): string {
  if (gap === null) return "-";
  const { slots, longest, reason, slotFrom } = gap;
  const why = longest < slots ? `(${reason} ${String(longest)})` : reason;
  return `${count(slots, "slot")} ${why} at ${localTime(slotFrom)}`;
}

/** What the words in the table mean, for who has not read the manual; only those that stand there. */
function legendLines(schedules: readonly ScheduleRow[]): string[] {
  const reasons = MISS_REASONS.filter((reason) => schedules.some((row) => row.missed[reason]));
  const missed = reasons.map((reason) => `${reason}: ${MISSED[reason]}`).join("; ");
  return [
    ...(reasons.length === 0 ? [] : [`missed   ${missed}`]),
    ...(schedules.some(({ unknown }) => unknown > 0) ? [`unknown  ${UNKNOWN}`] : []),
  ];
}

function openLines(schedules: readonly ScheduleRow[], live: boolean): string[] {
  const open = schedules.reduce((sum, row) => sum + row.open, 0);
  if (open === 0) return [];
  const what = `${count(open, "slot")} claimed, the outcome not on record`;
  return [live ? `${what} yet: being polled` : `${what}: unknown once a node starts`];
}

function findingLines(finding: Finding, { paint, caller, sameNode }: ValidationDrawing): string[] {
  const isStart = finding.next.startsWith("edgepoll start");
  const options = isStart ? toStart(sameNode) : sameNode;
  const next = `${finding.next.replace(/^edgepoll /, `${caller} `)}${options}`;
  return [
    `${paint("red", "finding")}  ${asCalled(printable(withLocalTimes(finding.text)), caller, sameNode)}`,
    `         next: ${next}`,
  ];
}

function verdict({ schedules, findings, more, records }: Validation, paint: Paint): string {
  const sum = (part: (row: ScheduleRow) => number) =>
    schedules.reduce((total, row) => total + part(row), 0);
  const due = sum((row) => row.due);
  const read = `${count(records, "record")} read`;
  const found = findings.length + more;
  if (found > 0) return `${paint("red", count(found, "finding"))}, ${read}`;
  const good = sum((row) => row.good);
  const partial = sum((row) => row.partial);
  const failed = sum((row) => row.failed);
  const unknown = sum((row) => row.unknown);
  const missed = due - good - partial - failed - unknown;
  const account =
    `${String(due)} due = ${String(good)} good + ${String(partial)} partial + ` +
    `${String(failed)} failed + ${String(missed)} missed + ${String(unknown)} unknown`;
  return `${paint("green", "every slot is accounted for")}: ${account}; ${read}`;
}
