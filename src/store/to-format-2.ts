/**
 * What changed after the release of 2026-11-24: refused messages say when and why, and numbers of the spool
 * are deleted oldest first, so that one that is missing is a loss.
 */
import type { Entry, Store, Write } from "../core/ports.ts";
import { NOTHING, below, decodeSpooled, encodeSpooled, keys, streamOf } from "../core/records.ts";
import { encodeRefused } from "../core/refused.ts";
import { SpoolCheck } from "../core/spool-check.ts";

const REASON = "refused by the broker; the edgepoll of that time did not keep why";

/** The step from version 1 to 2. */
export async function toFormat2(store: Store): Promise<void> {
  for await (const page of store.scan(below(keys.quarantineAll))) {
    const old = page.filter(({ value }) => !saysWhy(value));
    if (old.length > 0) await store.write(old.map(withReason), true);
  }
  await fillSpool(store);
}

function saysWhy(text: string): boolean {
  return /^\d+ "/.test(text);
}

function withReason({ key, value }: Entry): Write {
  const spooled = decodeSpooled(value);
  return { key, value: encodeRefused({ at: spooled.slot, reason: REASON, spooled }) };
}

/** Messages acknowledged out of turn have left holes, in which from now on stands that nothing is there. */
async function fillSpool(store: Store): Promise<void> {
  const writes: Write[] = [];
  let stream = "";
  const fill = ([from, to]: readonly [number, number]): void => {
    for (let number = from; number <= to; number++) {
      writes.push({ key: keys.spool(stream, number), value: encodeSpooled(NOTHING) });
    }
  };
  let check = new SpoolCheck(fill);
  for await (const page of store.scan(below(keys.spoolAll))) {
    for (const { key, value } of page) {
      if (streamOf(key) !== stream) {
        check.end();
        check = new SpoolCheck(fill);
        stream = streamOf(key);
      }
      check.add(key, value);
    }
    await store.write(writes.splice(0), true);
  }
  check.end();
  await store.write(writes, true);
}
