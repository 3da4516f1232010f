/**
 * A backup as a file: a head of fixed length, then a line for each record. Text throughout, so that it can
 * be looked at; a checksum for each record, and one over all of them.
 *
 *     edgepoll-backup <crc32 of what follows> {"format":1,"node":…,"records":…,"sha256":…}   padded with spaces
 *     <crc32 of what follows> ["key","text"]
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { crc32 } from "node:zlib";
import { BackupError } from "../core/errors.ts";
import type { Entry } from "../core/ports.ts";
import { FORMAT } from "../store/migrate.ts";
import { NewFile, asFileError } from "./new-file.ts";

/** Version of the format that this edgepoll writes. */
export const BACKUP_FORMAT = 1;

/** Bytes of the head, its line break included. */
const HEAD = 1024;
const MAGIC = "edgepoll-backup";

/** Whose backup it is. */
export interface BackupOrigin {
  readonly node: string;
  /** Wall time, ms. */
  readonly at: number;
  /** Of the edgepoll that made it. */
  readonly version: string;
  /** Version of its records; absent in backups of version 1. */
  readonly stateFormat?: number;
}

/** What stands in the head. */
export interface BackupHead extends BackupOrigin {
  readonly format: number;
  readonly records: number;
  /** Records by kind: what stands before the first `/` of their key. */
  readonly counts: Readonly<Record<string, number>>;
  /** Of all that follows the head, hex. */
  readonly sha256: string;
}

/** Writes a backup. */
export class BackupWriter {
  readonly #file: NewFile;
  readonly #hash = createHash("sha256");
  readonly #counts: Record<string, number> = {};
  #records = 0;

  private constructor(file: NewFile) {
    this.#file = file;
  }

  /** Begins the file. Throws as `NewFile.begin`. */
  static async begin(path: string, replace: boolean): Promise<BackupWriter> {
    const file = await NewFile.begin(path, replace);
    await file.write(headLine("", ""));
    return new BackupWriter(file);
  }

  /** Takes a record, as `recordText` of backup-lines.ts makes it. */
  async add(record: string): Promise<void> {
    const line = `${sumOf(record)} ${record}\n`;
    this.#hash.update(line);
    this.#records++;
    const kind = record.slice(2, record.indexOf("/"));
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    await this.#file.write(line);
  }

  /** Puts the file in its place. */
  async finish(origin: BackupOrigin): Promise<BackupHead> {
    const head: BackupHead = {
      ...{ format: BACKUP_FORMAT, ...origin },
      ...{ records: this.#records, counts: this.#counts, sha256: this.#hash.digest("hex") },
    };
    const text = JSON.stringify(head);
    await this.#file.finish(headLine(sumOf(text), text));
    return head;
  }

  /** Leaves nothing behind, unless it is finished. */
  discard(): Promise<void> {
    return this.#file.discard();
  }
}

/** The head of a backup. Throws `BackupError`, `FileError`, `PermissionError`. */
export async function readBackupHead(path: string): Promise<BackupHead> {
  const line = await headOf(path);
  const [magic, sum, ...rest] = line.trimEnd().split(" ");
  const text = rest.join(" ");
  if (magic !== MAGIC) {
    throw new BackupError("BACKUP_DAMAGED", `${path} is no backup of edgepoll.`);
  }
  if (sum !== sumOf(text)) throw damaged(path, "its head is");
  // As written by `finish`: its checksum is right.
  const head = JSON.parse(text) as BackupHead;
  if (head.format > BACKUP_FORMAT) throw newer(path, head, head.format, BACKUP_FORMAT);
  const { stateFormat = 1 } = head;
  if (stateFormat > FORMAT) throw newer(`What is in ${path}`, head, stateFormat, FORMAT);
  return head;
}

function newer(what: string, head: BackupHead, format: number, known: number): BackupError {
  return new BackupError(
    "BACKUP_VERSION",
    `${what} has format ${String(format)}; this edgepoll knows formats up to ` +
      `${String(known)}. Install edgepoll ${head.version}, which made it.`,
  );
}

/** The records of a backup; throws `BackupError` at the first that is damaged, and at the end when not all of them came. */
export async function* readBackup(path: string, head: BackupHead): AsyncGenerator<Entry> {
  const hash = createHash("sha256");
  let records = 0;
  for await (const line of linesOf(path, hash)) {
    records++;
    const text = line.slice(9);
    if (line.slice(0, 8) !== sumOf(text)) throw damaged(path, `record ${String(records)} is`);
    // As written by `add`: its checksum is right.
    const [key, value] = JSON.parse(text) as [string, string];
    yield { key, value };
  }
  if (records === head.records && hash.digest("hex") === head.sha256) return;
  const what = `it holds ${String(records)} of ${String(head.records)} records, or others than those`;
  throw damaged(path, `${what} that were written; it is`);
}

async function* linesOf(
  path: string,
  hash: { update(part: Buffer): unknown },
): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for await (const part of createReadStream(path, { start: HEAD })) {
      // Without an encoding a stream gives buffers.
      const bytes = part as Buffer;
      hash.update(bytes);
      const lines = (rest + decoder.write(bytes)).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    throw asFileError(error, path);
  }
  if (rest !== "") yield rest;
}

async function headOf(path: string): Promise<string> {
  try {
    const handle = await open(path, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw asFileError(error, path);
  }
}

function headLine(sum: string, text: string): string {
  return `${`${MAGIC} ${sum} ${text}`.padEnd(HEAD - 1)}\n`;
}

function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

function damaged(path: string, what: string): BackupError {
  const text = `${path} can't be restored: ${what} damaged, or the file was cut short. Nothing was changed; take another backup.`;
  return new BackupError("BACKUP_DAMAGED", text);
}
