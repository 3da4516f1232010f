/** The spool of a state directory: a running node's, or that of a directory. */
import { existsSync } from "node:fs";
import { readAnswer } from "../control/protocol.ts";
import { NoNodeError, UnavailableError } from "../core/errors.ts";
import { below, keys } from "../core/records.ts";
import { reportSpool, refusedLine, spoolLine, type SpoolReport } from "../engine/spool-report.ts";
import { nodeOf, openParts } from "./offline.ts";
import { withReading } from "./reading.ts";
import { askNode, readNode } from "./remote.ts";

export type { SpoolReport } from "../engine/spool-report.ts";

/** What waits. Throws `NoNodeError` where there is no state either. */
export async function spoolAt(stateDir: string): Promise<{ report: SpoolReport; live: boolean }> {
  try {
    // As a node of this version answers.
    const report = (await askNode(stateDir, "spool", {})) as SpoolReport;
    return { report, live: true };
  } catch (error) {
    if (!(error instanceof NoNodeError) || !existsSync(stateDir)) throw error;
    const report = await withReading(stateDir, async (store) =>
      reportSpool((await openParts(store, await nodeOf(store))).spool),
    );
    return { report, live: false };
  }
}

/** The messages that wait, or those that were refused, as lines of JSON; gives back how many. */
export async function spooledAt(
  stateDir: string,
  quarantine: boolean,
  take: (line: string) => Promise<void>,
): Promise<number> {
  let lines = 0;
  try {
    let end: unknown;
    await readNode(stateDir, "spooled", { quarantine }, async (line) => {
      if (line.startsWith('{"ok":')) {
        end = readAnswer(line);
        return;
      }
      lines++;
      await take(line);
    });
    if (end === lines) return lines;
    const text = `The node on ${stateDir} ended before all was told. Try again.`;
    throw new UnavailableError("NODE_UNRESPONSIVE", text);
  } catch (error) {
    if (!(error instanceof NoNodeError) || !existsSync(stateDir)) throw error;
  }
  return withReading(stateDir, async (store) => {
    const range = below(quarantine ? keys.quarantineAll : keys.spoolAll);
    for await (const page of store.scan(range)) {
      for (const entry of page) await take(quarantine ? refusedLine(entry) : spoolLine(entry));
      lines += page.length;
    }
    return lines;
  });
}
