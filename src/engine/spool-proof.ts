/**
 * Proves that no number of the spool is missing. What was proven before need not be read again: a million
 * messages may wait for days, and what is new of them is little.
 */
import { below, keys, numberOf, streamOf } from "../core/records.ts";
import { SpoolCheck, type Missing } from "../core/spool-check.ts";
import type { Findings } from "../core/validation.ts";
import type { LedgerReading } from "./ledger-reading.ts";

/** The last number that was proven, by stream. */
export type ProvenSpool = ReadonlyMap<string, number>;

/** Reads what waits, from what was `proven` on; gives back what is proven now. */
export async function proveSpool(
  reading: LedgerReading,
  findings: Findings,
  proven: ProvenSpool = new Map(),
): Promise<ProvenSpool> {
  const missing: [string, Missing][] = [];
  const last = new Map<string, number>();
  for await (const stream of streamsOf(reading)) {
    const rules = new SpoolCheck((numbers) => missing.push([stream, numbers]));
    const { from: first, to } = below(keys.spoolStream(stream));
    const before = proven.get(stream);
    // The last of them is read again: what comes after it must follow on it, unless it is gone itself.
    const from = before === undefined ? first : keys.spool(stream, before);
    for await (const page of reading.pages({ from, to })) {
      for (const { key, value } of page) {
        last.set(stream, numberOf(key));
        reading.read(key, () => {
          rules.add(key, value);
        });
      }
    }
    rules.end();
  }
  for (const [stream, numbers] of missing) await tell(reading, findings, stream, numbers);
  return last;
}

/** The streams with something that waits, by one look at each. */
async function* streamsOf(reading: LedgerReading): AsyncGenerator<string> {
  let { from } = below(keys.spoolAll);
  const { to } = below(keys.spoolAll);
  for (;;) {
    const key = await reading.firstKey({ from, to });
    if (key === undefined) return;
    const stream = streamOf(key);
    yield stream;
    from = below(keys.spoolStream(stream)).to;
  }
}

/** Numbers that were left out, unless they were acknowledged while the spool was read. */
async function tell(
  reading: LedgerReading,
  findings: Findings,
  stream: string,
  [from, to]: Missing,
): Promise<void> {
  const head = await reading.firstKey(below(keys.spoolStream(stream)));
  if (head === undefined || numberOf(head) > to) return;
  const what =
    from === to ? `number ${String(from)} is` : `numbers ${String(from)} to ${String(to)} are`;
  const text = `spool of ${stream}: ${what} missing: readings, gaps or events that waited for the broker are lost`;
  findings.add({ kind: "spool", from, to, text, next: "edgepoll events --since 7d" });
}
