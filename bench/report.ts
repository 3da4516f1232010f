/** docs/performance.md, written from the results. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { marksOf } from "./marks.ts";
import { picturesOf } from "./pictures.ts";
import { profileTables } from "./profile.ts";
import { resultsText, type Results } from "./results.ts";
import { markdownTable, startUpTable, tableOf } from "./table.ts";
import { WORKLOADS } from "./workloads.ts";

/** Foreign CPU on the pollers' core, in percent, up to which a run counts as undisturbed. */
const QUIET = 10;

/** The files of a report by their names; `results` is what they are made from. */
export function reportOf(results: Results): ReadonlyMap<string, string> {
  const pictures = picturesOf(results);
  const page = pageOf(results, [...pictures.keys()]);
  return new Map([["performance.md", page], ...pictures]);
}

/** Reads the results that a directory holds. */
export function readResults(directory: string): Results {
  // Written by writeReport.
  return JSON.parse(readFileSync(join(directory, "performance.json"), "utf8")) as Results;
}

/** Writes results and report into a directory. */
export function writeReport(directory: string, results: Results): void {
  writeFileSync(join(directory, "performance.json"), resultsText(results));
  for (const [name, text] of reportOf(results)) writeFileSync(join(directory, name), text);
}

function pageOf(results: Results, pictures: readonly string[]): string {
  const { rows, startUps } = results;
  return [
    "# Performance",
    `What edgepoll costs, beside the loop that a user would write. Written by \`npm run bench -- --record\` from [performance.json](performance.json); do not edit. Quote the ratios: a Raspberry Pi's core is several times slower than the one below.`,
    machineLine(results),
    ...disturbance(results),
    "## Marks",
    marksTable(results),
    "Of several runs the worst counts.",
    ...pictures.map((name) => `![${name.replace(/^performance-|\.svg$/g, "")}](${name})`),
    "## Workloads",
    WORKLOADS.map(({ name, about }) => `- ${name}: ${about}`).join("\n"),
    "## Table",
    tableOf(rows),
    ...(startUps === null ? [] : [startUpTable(startUps)]),
    accountLine(results),
    ...profileSection(results),
    "## How it is measured",
    HOW,
  ]
    .join("\n\n")
    .concat("\n");
}

function profileSection({ profile }: Results): string[] {
  if (profile === undefined) return [];
  const { workload, commit } = profile;
  return [
    "## Where the time goes",
    `The ten largest shares of what edgepoll's main thread did in ${workload}, by part and by function, at commit ${commit}; written by \`npm run bench -- --only ${workload} --profile --record\`. V8's own stands in parentheses. Threads of LevelDB, of the collector and of the compiler are not in it, but the time for which they take the core from the main thread is: \`_write\` only hands a batch to LevelDB.`,
    profileTables(profile),
  ];
}

function machineLine({ date, machine }: Results): string {
  const { cpu, cores, memoryGiB, kernel, node, mosquitto, packages, commit, fileSystem } = machine;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return `Measured ${date.slice(0, 10)} at commit ${commit}: ${String(cores)} cores ${cpu}, ${String(memoryGiB)} GiB, Linux ${kernel}, state on ${fileSystem}; Node.js ${node}, Mosquitto ${mosquitto}, ${versions.join(", ")}.`;
}

/** Says so when the pollers did not have their core to themselves. */
function disturbance({ rows }: Results): string[] {
  const most = Math.max(0, ...rows.map(({ foreignPercent }) => foreignPercent.poller));
  if (most <= QUIET) return [];
  return [
    `**Taken on a busy machine**: other programs used up to ${most.toFixed(0)} % of the pollers' core. What of lateness, start-up and CPU is edgepoll's and what that load's can't be told from these runs; measure again on a quiet one.`,
  ];
}

function marksTable(results: Results): string {
  return markdownTable(
    ["what", "mark", "measured", ""],
    marksOf(results).map(({ what, goal, measured, met }) => [
      ...[what, goal, measured],
      met === null ? "–" : met ? "met" : "**not met**",
    ]),
  );
}

function accountLine({ rows }: Results): string {
  const accounts = rows.flatMap(({ account }) => (account === null ? [] : [account]));
  const sum = (key: "readings" | "inGaps" | "unaccounted" | "twice"): string =>
    String(accounts.reduce((total, account) => total + account[key], 0));
  return `edgepoll's own account over all its runs, start and stop included: ${sum("readings")} readings, ${sum("inGaps")} slots in gaps, ${sum("unaccounted")} unaccounted for, ${sum("twice")} told twice.`;
}

const HOW = `- \`plain\` is \`bench/plain-loop.js\`: \`modbus-serial\` with its own \`connectTCP\`, \`mqtt\` with QoS 1, \`setInterval\`. It has no grid, no disk, no account, and forgets what the broker does not take. All its gateways connect together and so are due together: one wake-up and one write for hundreds of polls.
- \`least\` is \`bench/least-loop.js\`: the least that keeps the promises with the same libraries, on edgepoll's grid: claims synced before the first byte, outcome and reading synced before the reading is published, deleted when it is acknowledged. \`spread\` is the same without the disk: what the plain loop costs when its polls are spread over the interval as edgepoll's are.
- Each poller is a process of its own, with all its threads on core 1. Slave, Mosquitto, subscriber and the bench have the other cores. All traffic is on loopback; the pollers take turns.
- edgepoll runs with its defaults, but for what the workload says. W4 waits 900 ms for an answer in both pollers; W3 lets edgepoll read through gaps (\`merge.maxGap: 125\`).
- The slave (\`bench/slave.ts\`) notes the monotonic time of each request and puts the number of the poll into the first value. So lost and doubled messages and the time from request to subscriber are seen from outside, for all pollers alike.
- *late*: request at the slave less the published \`slot\`; the JSON has what edgepoll says of itself (\`late\`) beside it. *grid error*: distance from the even grid that fits the slave's log best; a poll more than half an interval away counts as doubled there and missed in its own slot, and so does a retry. In W2 half an interval is 5 ms.
- *lost*: an answer of the slave that no message told of. When edgepoll had given up on that answer (by default after half the interval, 5 ms in W2), the slot is published as a bad reading; those are \`bad\` in the JSON.
- CPU is that of all threads (\`schedstat\`), without start and warm-up: in the first 15 s V8 still compiles what a process runs for years. *disk bytes* are those that reached the block layer (\`write_bytes\`, whole pages). *syncs* are calls of \`fsync\` and \`fdatasync\`, counted by a preloaded library.
- *foreign CPU* is what other processes used meanwhile. A run with more than a few percent on the poller's core says little about lateness.
- Start-up: five starts with nothing to remember, the disk's cache warm; medians. The first reading waits for its slot on the grid, on average half an interval. MB are 10⁶ bytes.`;
