/** Makes a backup: from a snapshot of a running node's store, or of a state directory. */
import { readAnswer } from "../control/protocol.ts";
import { UnavailableError, messageOf } from "../core/errors.ts";
import { EVERYTHING } from "../core/records.ts";
import { BackupWriter, type BackupHead, type BackupOrigin } from "./backup-file.ts";
import { backedUp, originOf, recordText } from "./backup-lines.ts";
import { nodeOf, openParts } from "./offline.ts";
import { withReading } from "./reading.ts";
import { askNode, readNode } from "./remote.ts";

/** Has the node of a state directory make a backup. Throws `NoNodeError`, `FileError`, `UnavailableError`. */
export async function backupNode(
  stateDir: string,
  path: string,
  replace: boolean,
): Promise<BackupHead> {
  const head = await writing(path, replace, async (writer) => {
    const seen = { end: false };
    const origin = await readNode(stateDir, "backup", {}, async (line) => {
      if (line.startsWith("[")) await writer.add(line);
      else seen.end = isEnd(line);
    });
    // As `backupAnswer` of this version tells it.
    if (seen.end) return origin as BackupOrigin;
    const text = `The node on ${stateDir} ended before the backup was whole; nothing was written.`;
    throw new UnavailableError("NODE_UNRESPONSIVE", `${text} Try again.`);
  });
  await noteAtNode(stateDir, path, head);
  return head;
}

async function noteAtNode(stateDir: string, path: string, { records }: BackupHead): Promise<void> {
  try {
    await askNode(stateDir, "backed-up", { records });
  } catch (error) {
    const text = `${path} is whole, but the node on ${stateDir} did not put it on its audit trail`;
    throw new UnavailableError("NODE_UNRESPONSIVE", `${text}: ${messageOf(error)}`, error);
  }
}

/** Makes a backup of a state directory without a node. Throws `LockedError`, `FileError`, `StoreError`. */
export async function backupOffline(
  stateDir: string,
  path: string,
  replace: boolean,
  by: string,
): Promise<BackupHead> {
  return withReading(stateDir, async (store) => {
    const node = await nodeOf(store);
    const head = await writing(path, replace, async (writer) => {
      for await (const page of store.scan(EVERYTHING))
        for (const entry of page) await writer.add(recordText(entry));
      return originOf(node);
    });
    const { journal } = await openParts(store, node);
    await journal.note(backedUp(head.records, by));
    return head;
  });
}

async function writing(
  path: string,
  replace: boolean,
  work: (writer: BackupWriter) => Promise<BackupOrigin>,
): Promise<BackupHead> {
  const writer = await BackupWriter.begin(path, replace);
  try {
    return await writer.finish(await work(writer));
  } finally {
    await writer.discard();
  }
}

/** Whether the line says that all records came; throws what it says went wrong. */
function isEnd(line: string): boolean {
  return typeof readAnswer(line) === "number";
}
