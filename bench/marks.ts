/** What edgepoll is meant to reach, and whether it did. */
import { at } from "./quantiles.ts";
import type { Results } from "./results.ts";
import type { Row } from "./row.ts";
import { ratioTo } from "./table.ts";

/** A mark and what was measured; `met` is null when it was not measured. */
export interface Mark {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean | null;
}

/** All marks, held against the results. Of several runs the worst counts. */
export function marksOf({ rows, startUps }: Results): Mark[] {
  const worst = (workload: string, of: (row: Row) => number | undefined): number | undefined => {
    const values = rows
      .filter((row) => row.poller === "edgepoll" && row.workload === workload)
      .map(of)
      .filter((value) => value !== undefined);
    return values.length === 0 ? undefined : Math.max(...values);
  };
  const lateness = (workload: string): number | undefined =>
    worst(workload, ({ late }) => (late === null ? undefined : at(late.seen, 99)));
  const ratio = (workload: string): number | undefined =>
    worst(workload, (row) => ratioTo(row, rows, "plain"));
  const own = startUps?.pollers.find(({ poller }) => poller === "edgepoll");
  return [
    atMost("slots missed, 1000 gateways × 1 s", 0, "", worst("W1-1000", missedSlots)),
    atMost("late at p99, 1000 gateways × 1 s", 5, "ms", lateness("W1-1000")),
    ...["W1-10", "W1-100", "W1-500", "W1-1000", "W2"].map((workload) =>
      atMost(`CPU a poll, of the plain loop's, ${workload}`, 2.5, "×", ratio(workload)),
    ),
    atMost(
      "memory (RSS), 500 gateways",
      130,
      "MB",
      worst("W1-500", ({ rss }) => rss),
    ),
    atMost("memory (RSS), one gateway", 75, "MB", own?.rss),
    atMost("ready to poll, one gateway", 1000, "ms", own?.ready),
    atMost("`edgepoll --version`", 200, "ms", startUps?.version),
  ];
}

/** The worse of what the slave saw and what the account says. */
function missedSlots({ slots, account }: Row): number {
  return Math.max(slots.missed, (account?.inGaps ?? 0) + (account?.unaccounted ?? 0));
}

function atMost(what: string, limit: number, unit: string, value: number | undefined): Mark {
  const said = (number: string): string => (unit === "" ? number : `${number} ${unit}`);
  const digits = limit < 10 && limit > 0 ? 1 : 0;
  return {
    what,
    goal: limit === 0 ? "none" : `at most ${said(String(limit))}`,
    measured: value === undefined ? "not measured" : said(value.toFixed(digits)),
    met: value === undefined ? null : value <= limit,
  };
}
