/** A damaged store that is repaired: what is left is right, and what is lost is counted. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDamage, repairStore } from "../../src/app/repair.ts";
import { keys, type RepairedRecord } from "../../src/core/records.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { createPlace, type Place } from "../cli/program.ts";
import { seededRandom } from "../e2e/site.ts";
import { faultRow } from "../support/fault-row.ts";
import { ledgerOf } from "../support/ledger-reader.ts";
import { SEED } from "../support/seed.ts";
import { contentOf, copyOf, ledger } from "./store-ledger.ts";
import { mutate } from "./store-mutation.ts";

const REPAIRS = 3;
const quiet = (): void => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };

faultRow(
  {
    id: "K7f",
    fault: "a database damaged at random is repaired",
    done: "three damages as in K7e that refuse the start, each repaired in a copy and held to what was there before",
    must: "no record that is left is wrong; slots without an outcome are counted exactly; the damaged files are kept",
  },
  async (t) => {
    const random = seededRandom(SEED);
    const directory = await ledger(t);
    const whole = await contentOf(copyOf(t, directory));
    writeFileSync(join(directory, "db.in-use"), "");
    const sums = { kept: 0, lost: 0, slots: 0 };
    for (let done = 0; done < REPAIRS; ) {
      const copy = copyOf(t, directory);
      const what = `${mutate(copy, random)}, seed ${String(SEED)}`;
      if (!(await isRefused(copy))) continue;
      done += 1;
      const before = readdirSync(join(copy, "db"));
      await repairStore(copy, SILENT);
      for (const name of before) assert.ok(existsSync(join(copy, "db.damaged", name)), what);
      const now = await contentOf(copy);
      const repaired = repairOf(now);
      now.delete(keys.repaired);
      for (const [key, value] of now) assert.equal(value, whole.get(key), `${key}: ${what}`);
      const missing = missingSlots(whole, now);
      assert.equal(repaired.slots, missing, what);
      sums.kept += now.size;
      sums.lost += whole.size - now.size;
      sums.slots += missing;
    }
    return `seed ${String(SEED)}: ${String(sums.kept)} records kept, all right; ${String(sums.lost)} lost, with ${String(sums.slots)} slots, all of them counted`;
  },
);

faultRow(
  {
    id: "K7g",
    fault: "a node dies, and its database is damaged",
    done: "SIGKILL, one flipped bit in the log; the node is started twice as it was, and then with --repair",
    must: "the start is refused with 73 and names the command, each time; with --repair it polls on in new epochs, and event, log and health say what is lost",
  },
  async (t) => {
    const place = await createPlace(t);
    await polled(place, place.begin("start", "--node", ...place.node));
    flipLog(join(place.directory, "state", "db"));
    for (const _ of ["first", "second"]) {
      const refused = await place.run("start", "--node", ...place.node);
      assert.equal(refused.code, 73, refused.stderr);
      assert.match(refused.stderr, /is damaged at byte \d+.* start .*--repair /);
    }
    const node = place.begin("start", "--node", "--repair", ...place.node);
    await node.line(/^polling/);
    const events = await place.run("events", "--json", ...place.node);
    const event = eventOf(events.stdout);
    await untilStatus(place, ({ findings, totals }) => findings > 0 && totals.good > 3);
    node.signal("SIGTERM");
    const { code, stderr } = await node.ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /the store was damaged and has been repaired/);
    const again = place.begin("start", "--node", ...place.node);
    await again.line(/^polling/);
    const once = (await place.run("events", "--json", ...place.node)).stdout;
    assert.equal(once.match(/store-repaired/g)?.length, 1, "it is said once");
    const { slots, messages, records } = event.data;
    return `refused twice with 73; then ${String(slots)} slots, ${String(messages)} messages and ${String(records)} records lost, as the event says, findings in health, polling in new epochs`;
  },
);

async function isRefused(directory: string): Promise<boolean> {
  try {
    const store = await openLevelStore(directory, { create: false, clock: createClock() });
    await store.close();
    return false;
  } catch (error) {
    assert.ok(isDamage(error), String(error));
    return true;
  }
}

function repairOf(content: ReadonlyMap<string, string>): RepairedRecord {
  // As written by the repair.
  return JSON.parse(content.get(keys.repaired) ?? "") as RepairedRecord;
}

/** Slots that had an outcome, up to the last one that any record knows as settled, and have none: later ones are unknown at the next start. */
function missingSlots(
  whole: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): number {
  const known = new Set(seqsOf(now));
  // A claim as kept: epoch, last claimed seq, last settled seq.
  const claim = JSON.parse(now.get(keys.claim("a@1000")) ?? "[0,0,0]") as [number, number, number];
  const kept = now.get(keys.account("a@1000"));
  // An account as kept, with the last seq it counts.
  const at = kept === undefined ? 0 : (JSON.parse(kept) as { at: number }).at;
  const end = Math.max(claim[2], at, seqsOf(now).at(-1) ?? 0);
  return seqsOf(whole).filter((seq) => seq <= end && !known.has(seq)).length;
}

function seqsOf(content: ReadonlyMap<string, string>): number[] {
  const entries = ledgerOf(content).flatMap((account) => account.entries);
  return entries.flatMap(({ from, to }) =>
    Array.from({ length: to - from + 1 }, (_, n) => from + n),
  );
}

/** Lets a node poll for a while, and kills it. */
async function polled(place: Place, node: ReturnType<Place["begin"]>): Promise<void> {
  await node.line(/^polling/);
  await untilStatus(place, ({ totals }) => totals.good >= 20);
  node.signal("SIGKILL");
  await node.ended;
}

interface Status {
  readonly findings: number;
  readonly totals: { readonly good: number };
}

async function untilStatus(place: Place, met: (node: Status) => boolean): Promise<void> {
  for (;;) {
    const { stdout } = await place.run("status", "--json", ...place.node);
    // The data of `status`.
    if (met((JSON.parse(stdout) as { node: Status }).node)) return;
  }
}

/** One bit in the middle of the largest log. */
function flipLog(path: string): void {
  const logs = readdirSync(path).filter((name) => name.endsWith(".log"));
  const [largest] = logs.map((name) => join(path, name)).sort((a, b) => sizeOf(b) - sizeOf(a));
  assert.ok(largest !== undefined);
  const bytes = readFileSync(largest);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(largest, bytes);
}

function sizeOf(file: string): number {
  return readFileSync(file).length;
}

function eventOf(stdout: string): { data: RepairedRecord } {
  const events = stdout
    .split("\n")
    .filter((line) => line !== "")
    // An event a line.
    .map((line) => JSON.parse(line) as { kind: string; data: RepairedRecord });
  const found = events.find(({ kind }) => kind === "store-repaired");
  assert.ok(found, stdout);
  return found;
}
