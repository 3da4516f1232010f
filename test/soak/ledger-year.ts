/**
 * A year of one-second slots over the real store, in minutes: each slot a record as a poll leaves it,
 * an hour of them in a batch, and retention as a node does it. Prints what the directory takes and how
 * long a start and a proof take. `node --import ts-blank-space/register test/soak/ledger-year.ts [days]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Account } from "../../src/core/account.ts";
import type { Clock, Write } from "../../src/core/ports.ts";
import { encodeClaim, encodePoll, keys } from "../../src/core/records.ts";
import { Committer } from "../../src/engine/committer.ts";
import { Hours } from "../../src/engine/hours.ts";
import { Pruner } from "../../src/engine/pruner.ts";
import { restore } from "../../src/engine/restore.ts";
import { validateStore } from "../../src/engine/validate.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { storeBytes } from "../../src/store/size.ts";
import { createClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/logger.ts";

const DAYS = Number(process.argv[2] ?? 365);
const KEPT_HOURS = 30 * 24;
/** Bytes that the directory may take at any moment, as docs/operations.md says. */
const MOST = 96 * 2 ** 20;
/** ms that a start over it may take, likewise. */
const LONGEST = 2000;
const ID = "line@1000";
const EPOCH = 1_795_400_000;
const directory = mkdtempSync(join(tmpdir(), "edgepoll-year-"));
const real = createClock();
/** Waits of the pruner take no time: nothing is polled beside it. */
const hasty: Clock = {
  ...real,
  wall: () => real.wall(),
  elapsed: () => real.elapsed(),
  noticeSuspend: () => 0,
  bootId: real.bootId,
  timer: (_, wake) => {
    const handle = setImmediate(wake);
    return () => {
      clearImmediate(handle);
    };
  },
};

const store = await openLevelStore(directory, { create: true, clock: real });
const committer = new Committer(store, hasty, createLog("error"));
const hours = new Hours(store);
const pruner = new Pruner({ clock: hasty, store, committer });
const account = new Account(EPOCH);
let most = 0;
const began = performance.now();
for (let hour = 1; hour <= DAYS * 24; hour++) {
  const writes: Write[] = [];
  for (let n = 0; n < 3600; n++) {
    const seq = account.last + 1;
    const late = (seq % 40) / 10;
    account.begin(seq);
    account.finish("good", late);
    writes.push({ key: keys.outcome(ID, EPOCH, seq), value: encodePoll("good", late) });
  }
  const claimed = account.last;
  const slot = EPOCH * 1000 + claimed * 1000;
  const claim = { epoch: EPOCH, claimed, settled: claimed, slot, due: 0, boot: "boot" };
  writes.push({ key: keys.claim(ID), value: encodeClaim(claim) });
  writes.push({
    key: keys.account(ID),
    value: JSON.stringify({ ...account.keep(), closed: false }),
  });
  await store.write(writes, false);
  await store.write(await hours.close(hour, slot), true);
  const place = await hours.last(ID, hour - KEPT_HOURS);
  if (place !== undefined) await pruner.outcomes(ID, place);
  most = Math.max(most, storeBytes(directory) ?? 0);
  if (hour % (24 * 30) === 0)
    say(`day ${String(hour / 24)}: ${mebibytes(storeBytes(directory) ?? 0)}`);
}
say(`written in ${seconds(began)}`);
await store.close();
say(`directory: ${mebibytes(storeBytes(directory) ?? 0)} at the end, ${mebibytes(most)} at most`);
if (most > MOST) process.exitCode = 1;

const opening = performance.now();
const again = await openLevelStore(directory, { create: false, clock: real });
say(`opened in ${seconds(opening)}`);
const restoring = performance.now();
const connection = { kind: "tcp", url: "", host: "", port: 0 } as const;
const breaker = { failureThreshold: 10, probe: "never" } as const;
const gateway = {
  ...breaker,
  id: "line",
  connection,
  timeout: { default: 1 },
  retries: 0,
  devices: [],
};
const clock = { ...hasty, bootId: "other", wall: () => Number.MAX_SAFE_INTEGER / 4000 };
await restore({ store: again, clock }, gateway, 1000, false);
say(`schedule taken up in ${seconds(restoring)}`);
if (performance.now() - opening > LONGEST) process.exitCode = 1;
const proving = performance.now();
const { validation } = await validateStore(
  { store: again, pause: () => Promise.resolve() },
  { since: 0 },
);
const [row] = validation.schedules;
say(
  `proved in ${seconds(proving)}: ${String(row?.due)} due, ${String(validation.records)} records, ${String(validation.findings.length)} findings`,
);
if (validation.findings.length > 0) process.exitCode = 1;
say(`memory: ${mebibytes(process.memoryUsage().rss)}`);
await again.close();
rmSync(directory, { recursive: true });

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
function seconds(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(2)} s`;
}
function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
