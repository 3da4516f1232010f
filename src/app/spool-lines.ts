/** What a node answers that is asked for the messages of its spool, or of its quarantine. */
import { Lines } from "../control/protocol.ts";
import { below, keys } from "../core/records.ts";
import type { Engine } from "../engine/engine.ts";
import { refusedLine, spoolLine } from "../engine/spool-report.ts";

/** The messages as lines of JSON, and how many they were. */
export function spooledAnswer(engine: Engine, quarantine: boolean): Lines {
  return new Lines({}, linesOf(engine, quarantine));
}

async function* linesOf(engine: Engine, quarantine: boolean): AsyncGenerator<string> {
  let lines = 0;
  const range = below(quarantine ? keys.quarantineAll : keys.spoolAll);
  for await (const page of engine.snapshot(range)) {
    for (const entry of page) yield quarantine ? refusedLine(entry) : spoolLine(entry);
    lines += page.length;
  }
  yield JSON.stringify({ ok: true, data: lines });
}
