/** Damaged files of the database: refused, or found; never silent. EDGEPOLL_DAMAGES: how often, 40 unless given. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { faultRow } from "../support/fault-row.ts";
import { SEED } from "../support/seed.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { seededRandom } from "../e2e/site.ts";
import { contentOf, copyOf, ledger } from "./store-ledger.ts";
import { mutate } from "./store-mutation.ts";
import { verdictOf, type Verdict } from "./store-verdict.ts";

const DAMAGES = Number(process.env["EDGEPOLL_DAMAGES"] ?? 40);
const MUTATIONS = 200;

/** The verdict of a process of its own. */
function apart(t: TestContext, directory: string, whole: ReadonlyMap<string, string>): Verdict {
  const file = join(createTempDir(t), "whole.json");
  writeFileSync(file, JSON.stringify([...whole]));
  const program = fileURLToPath(new URL("./store-verdict.ts", import.meta.url));
  const args = ["--import", "ts-blank-space/register", program, directory, file];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (signal !== "SIGABRT") return stdout as Verdict; // As the program writes it.
  assert.match(stderr, /leveldb.*Assertion/);
  return "ended";
}

function filesOf(directory: string, pattern: RegExp): string[] {
  return readdirSync(join(directory, "db"))
    .filter((name) => pattern.test(name))
    .map((name) => join(directory, "db", name));
}

/** Flips one bit of a file at a share of its length. */
function flip(path: string, share: number): void {
  const bytes = readFileSync(path);
  const at = Math.min(bytes.length - 1, Math.floor(share * bytes.length));
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
  writeFileSync(path, bytes);
}

function tally(verdicts: readonly Verdict[]): string {
  const words = ["refused", "ended", "found", "harmless", "silent"] as const;
  return words
    .map((word) => `${word} ${String(verdicts.filter((one) => one === word).length)}`)
    .join(", ");
}

/** Flips bits of the files of a kind, each in a copy of its own; gives back what became of the copies. */
async function flipBits(t: TestContext, pattern: RegExp, inTables = false): Promise<string> {
  const directory = await ledger(t);
  // Of a copy: opening it moves the log into a table.
  const whole = await contentOf(copyOf(t, directory));
  const verdicts: Verdict[] = [];
  const places = inTables ? Math.ceil(DAMAGES / 5) : DAMAGES;
  for (let n = 0; n < places; n++) {
    const copy = copyOf(t, directory);
    const files = filesOf(copy, pattern);
    const file = files[n % files.length];
    assert.ok(file !== undefined, `there is no file like ${String(pattern)}`);
    // The last record of a log can't be told from one that a power cut has cut off.
    flip(file, ((n + 0.5) / places) * 0.97);
    verdicts.push(inTables ? apart(t, copy, whole) : await verdictOf(copy, whole));
    rmSync(copy, { recursive: true });
  }
  const seen = tally(verdicts);
  assert.match(seen, /silent 0$/, seen);
  return `${String(places)} places: ${seen}`;
}

faultRow(
  {
    id: "K7a",
    fault: "one flipped bit in the log of the database",
    done: "a bit is flipped at places spread over the file, each in a copy of a ledger that is opened and validated",
    must: "refused with what to do; LevelDB alone would drop what lies behind",
  },
  (t) => flipBits(t, /\.log$/),
);

faultRow(
  {
    id: "K7b",
    fault: "one flipped bit in a table of the database",
    done: "a bit is flipped at places spread over the file, each in a copy of a ledger that is opened and validated",
    must: "refused, found, or LevelDB ends the process; never silent",
  },
  (t) => flipBits(t, /\.ldb$/, true),
);

faultRow(
  {
    id: "K7c",
    fault: "one flipped bit in the MANIFEST of the database",
    done: "a bit is flipped at places spread over the file, each in a copy of a ledger that is opened and validated",
    must: "refused or found, with what to do",
  },
  (t) => flipBits(t, /^MANIFEST/),
);

faultRow(
  {
    id: "K7d",
    fault: "files of the database that are gone, empty or cut",
    done: "CURRENT missing and empty, MANIFEST missing and cut, a table missing, the log missing, each in a copy of a ledger",
    must: "refused with what to do, or a finding; never taken for a new one",
  },
  async (t) => {
    const directory = await ledger(t);
    // Of a copy: opening it moves the log into a table.
    const whole = await contentOf(copyOf(t, directory));
    const seen: string[] = [];
    const losses: [string, RegExp, (path: string) => void][] = [
      ["CURRENT missing", /^CURRENT$/, rmSync],
      [
        "CURRENT empty",
        /^CURRENT$/,
        (path) => {
          truncateSync(path, 0);
        },
      ],
      ["MANIFEST missing", /^MANIFEST/, rmSync],
      [
        "MANIFEST cut",
        /^MANIFEST/,
        (path) => {
          truncateSync(path, 60);
        },
      ],
      ["table missing", /\.ldb$/, rmSync],
      ["log missing", /\.log$/, rmSync],
    ];
    for (const [what, pattern, lose] of losses) {
      const copy = copyOf(t, directory);
      for (const file of filesOf(copy, pattern).slice(0, 1)) lose(file);
      const verdict = await verdictOf(copy, whole);
      assert.match(verdict, /refused|found/, what);
      seen.push(`${what}: ${verdict}`);
    }
    return seen.join("; ");
  },
);

faultRow(
  {
    id: "K7e",
    fault: "anything wrong with any file of the database",
    done: "200 times at random, each in a copy of a ledger that was not closed in order: a bit flipped, a sector of zeros or noise, a file cut or gone; the copy is opened and validated",
    must: "refused with what to do, or found, or harmless; never silent, and LevelDB ends no process",
  },
  async (t) => {
    const random = seededRandom(SEED);
    const directory = await ledger(t);
    // Of a copy: opening it moves the log into a table.
    const whole = await contentOf(copyOf(t, directory));
    writeFileSync(join(directory, "db.in-use"), "");
    const verdicts: Verdict[] = [];
    for (let n = 0; n < MUTATIONS; n += 1) {
      const copy = copyOf(t, directory);
      const what = mutate(copy, random);
      const verdict = await verdictOf(copy, whole);
      assert.notEqual(verdict, "silent", `${what}, seed ${String(SEED)}`);
      verdicts.push(verdict);
      rmSync(copy, { recursive: true });
    }
    return `seed ${String(SEED)}: ${tally(verdicts)}`;
  },
);
