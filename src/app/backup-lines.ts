/** What a node answers that is asked for a backup. */
import { Lines } from "../control/protocol.ts";
import type { Site } from "../core/model.ts";
import type { Entry } from "../core/ports.ts";
import type { Engine } from "../engine/engine.ts";
import type { Happening } from "../engine/journal.ts";
import { FORMAT } from "../store/migrate.ts";
import { createClock } from "../system/clock.ts";
import { version } from "../system/facts.ts";
import type { BackupOrigin } from "./backup-file.ts";

/** What a node answers that is asked for a backup: whose it is, its records, and how many they were. */
export function backupAnswer(engine: Engine, { node }: Site): Lines {
  return new Lines(originOf(node), linesOf(engine.snapshot()));
}

/** Whose backup it is that is made now. */
export function originOf(node: string): BackupOrigin {
  const at = Math.round(createClock().wall());
  return { node, at, version: version(), stateFormat: FORMAT };
}

/** A record as text, on one line. */
export function recordText({ key, value }: Entry): string {
  return JSON.stringify([key, value]);
}

/** The event of a backup, for when its file is whole and in its place. */
export function backedUp(records: number, by: string): Happening {
  const text = `a backup of ${String(records)} records was made by ${by}`;
  return { kind: "backed-up", by, text, data: { records } };
}

async function* linesOf(pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<string> {
  let records = 0;
  for await (const page of pages) {
    for (const entry of page) yield recordText(entry);
    records += page.length;
  }
  yield JSON.stringify({ ok: true, data: records });
}
