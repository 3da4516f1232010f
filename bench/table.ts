/** The table of the runs. */
import type { PollerName } from "./pollers.ts";
import { at, type Quantiles } from "./quantiles.ts";
import type { Row } from "./row.ts";
import type { StartUps } from "./start-up.ts";

type Column = readonly [title: string, cell: (row: Row, rows: readonly Row[]) => string];

const COLUMNS: readonly Column[] = [
  ["workload", ({ workload }) => workload],
  ["poller", ({ poller }) => poller],
  ["polls/s", ({ pollsPerSecond }) => pollsPerSecond.toFixed(1)],
  ["CPU %", ({ cpuPercent }) => cpuPercent.toFixed(1)],
  ["CPU ms a poll", ({ cpuPerPoll }) => cpuPerPoll.toFixed(3)],
  ["of plain", (row, rows) => ofOther(row, rows, "plain")],
  ["of least", (row, rows) => ofOther(row, rows, "least")],
  ["RSS (peak) MB", ({ rss, rssPeak }) => `${rss.toFixed(0)} (${rssPeak.toFixed(0)})`],
  ["late ms p50/p99/max", ({ late }) => (late === null ? "–" : three(late.seen))],
  ["grid error ms p50/p99/max", ({ gridError }) => three(gridError)],
  ["missed + doubled of slots", slotsCell],
  ["messages/s", ({ messagesPerSecond }) => messagesPerSecond.toFixed(1)],
  ["end to end ms p50/p99/max", ({ endToEnd }) => three(endToEnd)],
  ["lost + twice", ({ lost, twice }) => `${String(lost)} + ${String(twice)}`],
  ["disk bytes a poll", ({ diskBytesPerPoll }) => diskBytesPerPoll.toFixed(0)],
  ["syncs a poll", ({ syncsPerPoll }) => syncsPerPoll?.toFixed(2) ?? "–"],
  ["requests a poll", ({ requestsPerPoll }) => requestsPerPoll.toFixed(1)],
  ["switches a poll", ({ switchesPerPoll }) => switchesPerPoll.toFixed(1)],
  ["ready ms", ({ ready }) => ready.toFixed(0)],
  ["foreign CPU % (poller's core, others)", foreignCell],
];

/** The runs as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  return markdownTable(
    COLUMNS.map(([title]) => title),
    rows.map((row) => COLUMNS.map(([, cell]) => cell(row, rows))),
  );
}

/** Start-up and rest with one gateway as a Markdown table. */
export function startUpTable({ pollers, version, installed }: StartUps): string {
  const whole = (value: number | null): string => value?.toFixed(0) ?? "–";
  return markdownTable(
    [
      ...["W8", "ready ms", "first reading ms", "of these until its slot was due"],
      ...["RSS (peak) MB", "--version ms", "installed MB"],
    ],
    pollers.map(({ poller, ready, firstReading, untilDue, rss, rssPeak }) => [
      ...[poller, whole(ready), whole(firstReading), whole(untilDue)],
      `${whole(rss)} (${whole(rssPeak)})`,
      ...(poller === "edgepoll" ? [whole(version), whole(installed)] : ["–", "–"]),
    ]),
  );
}

/** A Markdown table. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [titles, titles.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** CPU per poll as a multiple of another poller's, with the same workload and run; undefined without one. */
export function ratioTo(row: Row, rows: readonly Row[], other: PollerName): number | undefined {
  const found = rows.find(
    ({ poller, workload, run }) => poller === other && workload === row.workload && run === row.run,
  );
  return found === undefined ? undefined : row.cpuPerPoll / found.cpuPerPoll;
}

function ofOther(row: Row, rows: readonly Row[], other: PollerName): string {
  const ratio = row.poller === other ? undefined : ratioTo(row, rows, other);
  return ratio === undefined ? "–" : `${ratio.toFixed(2)} ×`;
}

function slotsCell({ slots: { due, missed, doubled } }: Row): string {
  return `${String(missed)} + ${String(doubled)} of ${String(due)}`;
}

function foreignCell({ foreignPercent: { poller, others } }: Row): string {
  return `${poller.toFixed(0)}, ${others.toFixed(0)}`;
}

/** The three levels of a distribution that a table shows. */
export function three(quantiles: Quantiles): string {
  const levels = [at(quantiles, 50), at(quantiles, 99), at(quantiles, 100)];
  if (levels.includes(undefined)) return "–";
  return levels.map((value) => (value ?? 0).toFixed(1)).join(" / ");
}
