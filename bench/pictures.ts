/** The plots of the results. */
import { POLLERS, type PollerName } from "./pollers.ts";
import { draw, linear, logarithmic, named, type Series } from "./plots.ts";
import { LEVELS, medianOf, type Quantiles } from "./quantiles.ts";
import type { Results } from "./results.ts";
import type { Row } from "./row.ts";

/** The pictures by the names of their files; one without data is left out. */
export function picturesOf(results: Results): ReadonlyMap<string, string> {
  const pictures = [
    ["performance-cpu.svg", cpuPicture(results)],
    ["performance-lateness.svg", latenessPicture(results)],
    ["performance-memory.svg", memoryPicture(results)],
  ] as const;
  return new Map(pictures.filter(([, picture]) => picture !== ""));
}

const LOOKS: Readonly<Record<PollerName, string>> = {
  edgepoll: "one",
  least: "three",
  spread: "four",
  plain: "two",
};
const NAMES: Readonly<Record<PollerName, string>> = {
  edgepoll: "edgepoll",
  least: "least that keeps it",
  spread: "plain loop, spread",
  plain: "plain loop",
};

function cpuPicture(results: Results): string {
  const series = byGateways(results, ({ cpuPerPoll }) => cpuPerPoll);
  return sized(results, series, {
    title: "CPU time of a poll by the number of gateways, each polled every second",
    yTitle: "ms",
    y: logarithmic(0.01, 10),
  });
}

function memoryPicture(results: Results): string {
  const series = byGateways(results, ({ rss }) => rss);
  const most = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)), 1);
  return sized(results, series, {
    title: "Memory (RSS) by the number of gateways, each polled every second",
    yTitle: "MB",
    y: linear(Math.ceil(most / 50) * 50, Math.ceil(most / 50)),
  });
}

function sized(
  results: Results,
  series: readonly Series[],
  rest: { title: string; yTitle: string; y: ReturnType<typeof linear> },
): string {
  const sizes = series.flatMap(({ points }) => points.map(([gateways]) => gateways));
  const different = [...new Set(sizes)].sort((a, b) => a - b);
  if (different.length < 2) return "";
  return draw({ ...rest, source: sourceOf(results), series, x: named(different, String) });
}

/** A line for each poller over the sizes of W1, of several runs the median. */
function byGateways({ rows }: Results, of: (row: Row) => number): Series[] {
  const series = POLLERS.map((poller) => {
    const own = rows.filter((row) => row.poller === poller && row.workload.startsWith("W1-"));
    const sizes = [...new Set(own.map(({ gateways }) => gateways))];
    const points = sizes.map((size): [number, number] => [
      size,
      medianOf(own.filter(({ gateways }) => gateways === size).map(of)),
    ]);
    return { name: NAMES[poller], look: LOOKS[poller], points };
  });
  return series.filter(({ points }) => points.length > 0);
}

function latenessPicture(results: Results): string {
  const line = (
    poller: PollerName,
    workload: string,
    look: string,
    of: (row: Row) => Quantiles,
  ): Series[] => {
    const row = results.rows.find((each) => each.poller === poller && each.workload === workload);
    const points = row === undefined ? [] : of(row).map((value, n) => point(LEVELS[n] ?? 0, value));
    return points.length === 0 ? [] : [{ name: `${NAMES[poller]}, ${workload}`, look, points }];
  };
  const late = ({ late: lateness }: Row): Quantiles => lateness?.seen ?? [];
  const series = [
    ...line("edgepoll", "W1-1000", "one", late),
    ...line("edgepoll", "W1-100", "three", late),
    ...line("edgepoll", "W4", "four", late),
    ...line("plain", "W1-1000", "two", ({ gridError }) => gridError),
  ];
  if (series.length === 0) return "";
  return draw({
    title: "How late polls begin: the share of polls that is at most so late",
    source: `${sourceOf(results)} The plain loop: off an even grid.`,
    yTitle: "ms",
    series,
    x: named([...LEVELS], (level) => `${String(level)} %`),
    y: logarithmic(0.1, 1000),
  });
}

function point(level: number, value: number): [number, number] {
  return [level, value];
}

function sourceOf({ date, machine }: Results): string {
  return `Seen by the slave, ${date.slice(0, 10)}, commit ${machine.commit}.`;
}
