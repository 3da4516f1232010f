/** Restores a backup into a state directory whose node does not run; what was there is kept aside. */
import { join } from "node:path";
import { LockedError } from "../core/errors.ts";
import type { Clock, Entry, Store, Write } from "../core/ports.ts";
import { below, keys, type Claim, type GatewayRecord } from "../core/records.ts";
import { claimsOf, renewRestored } from "../engine/renew.ts";
import { openLevelStore } from "../store/level-store.ts";
import { migrate } from "../store/migrate.ts";
import { holdsState, replaceStore } from "../store/replace.ts";
import { createClock } from "../system/clock.ts";
import { pid } from "../system/facts.ts";
import { ensureStateDir } from "../system/paths.ts";
import { readBackup, readBackupHead, type BackupHead } from "./backup-file.ts";
import { openParts } from "./offline.ts";
import { lockState } from "./state-lock.ts";

export { holdsState };

/** Records written together, and synced: a log that is not synced to its end could lose what lies before it. */
const BATCH = 2000;

/** What a restore came to. */
export interface RestoredState {
  readonly stateDir: string;
  readonly records: number;
  /** Where that lies which was there before, null when there was nothing. */
  readonly aside: string | null;
  /** Gateways that are stopped, in the backup or in what was there before. */
  stopped: readonly string[];
  /** Schedules that begin a new epoch. */
  epochs: number;
}

/** What of the state that is replaced still counts. */
interface Before {
  readonly claims: ReadonlyMap<string, Claim>;
  readonly gateways: ReadonlyMap<string, GatewayRecord>;
  readonly retained: readonly string[];
}

const NOTHING: Before = { claims: new Map(), gateways: new Map(), retained: [] };

/** Reads a backup to its end. Throws `BackupError`, `FileError`, `PermissionError`. */
export async function checkBackup(path: string): Promise<BackupHead> {
  const head = await readBackupHead(path);
  const records = readBackup(path, head);
  while ((await records.next()).done !== true);
  return head;
}

/** Restores a backup that was checked. Throws `LockedError`, `StateDirectoryError`, `StoreError`. */
export async function restoreBackup(
  stateDir: string,
  path: string,
  head: BackupHead,
  by: string,
): Promise<RestoredState> {
  const clock = createClock();
  const real = ensureStateDir(stateDir);
  const lock = await lockState(real, { pid, node: head.node, stateDir: real, control: "" }, clock);
  try {
    const before = await lookAt(real, clock);
    const aside = join(real, `before-restore-${stampOf(clock.wall())}`);
    const found: Pick<RestoredState, "epochs" | "stopped"> = { epochs: 0, stopped: [] };
    await replaceStore(real, aside, clock, async (store) => {
      await fill(store, readBackup(path, head));
      await migrate(store, head.stateFormat ?? 1, () => Promise.resolve());
      const renewed = await renewRestored(store, clock, before?.claims ?? new Map());
      found.epochs = renewed.filter(({ key }) => key.startsWith(keys.claims)).length;
      await store.write([...renewed, ...(await carriedOver(store, before ?? NOTHING))], true);
      found.stopped = stoppedIn(await gatewaysOf(store));
      await note(store, path, head, by);
    });
    const kept = before === undefined ? null : aside;
    return { stateDir: real, records: head.records, aside: kept, ...found };
  } finally {
    await lock.release();
  }
}

async function fill(store: Store, entries: AsyncIterable<Entry>): Promise<void> {
  let batch: Entry[] = [];
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    await store.write(batch, true);
    batch = [];
  }
  await store.write(batch, true);
}

async function note(store: Store, path: string, head: BackupHead, by: string): Promise<void> {
  const { journal } = await openParts(store, head.node);
  const { records, at } = head;
  const made = new Date(at).toISOString();
  const text = `restored by ${by} from ${path}, made at ${made}: ${String(records)} records; all schedules begin new epochs`;
  await journal.note({ kind: "restored", by, text, data: { records, at } });
}

/** The state that is there, undefined when there is none; nothing of it counts when it can't be read. */
async function lookAt(stateDir: string, clock: Clock): Promise<Before | undefined> {
  if (!holdsState(stateDir)) return undefined;
  try {
    const store = await openLevelStore(stateDir, { create: false, clock });
    try {
      const retained = await retainedIn(store);
      return { claims: await claimsOf(store), gateways: await gatewaysOf(store), retained };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof LockedError) throw error;
    return NOTHING;
  }
}

/** Whoever was stopped since the backup stays so, and topics that were retained since then can be cleared. */
async function carriedOver(store: Store, before: Before): Promise<Write[]> {
  const now = await gatewaysOf(store);
  const stopped = stoppedIn(before.gateways).filter((id) => now.get(id)?.desired !== "stopped");
  const writes = stopped.map((id): Write => {
    const record = { ...now.get(id), ...before.gateways.get(id) };
    return { key: keys.gateway(id), value: JSON.stringify(record) };
  });
  const retained = new Set([...(await retainedIn(store)), ...before.retained]);
  return [...writes, { key: keys.retained, value: JSON.stringify([...retained]) }];
}

async function gatewaysOf(store: Store): Promise<Map<string, GatewayRecord>> {
  const entries = await store.range(below(keys.gateways));
  // As written by a node: the store has checked its checksum.
  return new Map(
    entries.map(({ key, value }) => [
      key.slice(keys.gateways.length),
      JSON.parse(value) as GatewayRecord,
    ]),
  );
}

function stoppedIn(gateways: ReadonlyMap<string, GatewayRecord>): string[] {
  return [...gateways].filter(([, { desired }]) => desired === "stopped").map(([id]) => id);
}

async function retainedIn(store: Store): Promise<string[]> {
  const text = await store.get(keys.retained);
  // A list of topics, as written by the reporter.
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}

function stampOf(wall: number): string {
  return new Date(wall).toISOString().replace(/[-:]/g, "").slice(0, 15);
}
