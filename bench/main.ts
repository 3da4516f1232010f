/** `npm run bench`: measures edgepoll against the loop a user would write, and says what came of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMosquitto } from "../test/support/mosquitto.ts";
import { lookAtMachine, leavePollerCore, ROOT } from "./machine.ts";
import { measure, type Bench } from "./measure.ts";
import { HELP, readOptions, type Options } from "./options.ts";
import { profileArguments, profileTables, sharesOf } from "./profile.ts";
import { readResults, writeReport } from "./report.ts";
import { resultsText, type Results } from "./results.ts";
import type { Row } from "./row.ts";
import type { Span } from "./slots.ts";
import { measureStartUps } from "./start-up.ts";
import { compileSyncCounter } from "./syncs.ts";
import { startUpTable, tableOf } from "./table.ts";

const DOCS = join(ROOT, "docs");
const options = readOptions(process.argv.slice(2));
if (options.help) console.log(HELP);
else if (options.draw) writeReport(DOCS, readResults(DOCS));
else await bench(options);

async function bench(asked: Options): Promise<void> {
  const place = asked.dir ?? join(ROOT, "bench/out");
  mkdirSync(place, { recursive: true });
  const directory = mkdtempSync(join(place, "run-"));
  // The path of a socket has room for a hundred characters.
  const runtime = mkdtempSync(join(tmpdir(), "ep-"));
  process.once("exit", () => {
    for (const each of [directory, runtime]) rmSync(each, { recursive: true, force: true });
  });
  const machine = lookAtMachine(directory);
  const date = new Date().toISOString();
  if (machine.fileSystem === "tmpfs" && asked.dir === undefined) {
    throw new Error(`${place} lies in memory, where a sync costs nothing; give --dir`);
  }
  leavePollerCore(machine);
  // The subscriber is a witness: the broker is to keep all for it, however far it falls behind.
  const broker = await startMosquitto({ lines: ["max_queued_messages 0"] });
  const syncCounter = compileSyncCounter(directory);
  if (syncCounter === undefined) console.error("There is no C compiler: syncs are not counted.");
  try {
    const parts = { machine, broker, directory, runtime, syncCounter };
    const rows = await runAll(asked, parts);
    if (rows.length > 0) console.log(tableOf(rows));
    const startUps = asked.startUp ? await measureStartUps(parts, asked.seconds * 1000) : null;
    if (startUps !== null) console.log(`\n${startUpTable(startUps)}\n`);
    const results: Results = { date, machine, rows, startUps };
    if (asked.record && !asked.profile) {
      writeReport(DOCS, { ...results, profile: readResults(DOCS).profile });
    }
    const file = join(place, `${date.replace(/[:.]/g, "-")}.json`);
    writeFileSync(file, resultsText(results));
    console.log(file);
  } finally {
    await broker.remove();
  }
}

/** Recorded, a profile takes the place of the one before; all else stays. */
function tellProfile(
  { record }: Options,
  { directory, machine }: Bench,
  { workload, pid, span }: { workload: string; pid: number; span: Span },
): void {
  const shares = sharesOf(directory, pid, span);
  console.log(profileTables(shares));
  if (!record) return;
  const profile = { workload, commit: machine.commit, ...shares };
  writeReport(DOCS, { ...readResults(DOCS), profile });
}

/** Pollers take turns, so that what changes on the machine meets both. */
async function runAll(asked: Options, parts: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const workload of asked.workloads) {
    for (let run = 1; run <= asked.runs; run += 1) {
      for (const poller of asked.pollers) {
        console.error(`${workload.name} ${poller} ${String(run)}`);
        const nodeArguments = asked.profile ? profileArguments(parts.directory) : [];
        const { row, span, pid } = await measure(parts, {
          ...{ workload, poller, run, nodeArguments },
          ...{ seconds: asked.seconds, warmup: asked.warmup },
        });
        rows.push(row);
        if (asked.profile) tellProfile(asked, parts, { workload: workload.name, pid, span });
      }
    }
  }
  return rows;
}
