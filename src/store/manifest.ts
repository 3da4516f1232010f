/** Reads which tables a database consists of. Format: LevelDB's doc/impl.md and db/version_edit.cc. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { logRecords } from "./log-records.ts";
import { readVarint } from "./snappy.ts";

/** What a record of the manifest consists of, by its tags. */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;
const PREVIOUS_LOG = 9;

/**
 * The numbers of the tables that belong to a database. Others may lie beside them: what a compaction was
 * writing when the process died, and what LevelDB had not deleted yet. Throws when that can't be read.
 */
export function tablesOf(path: string): Set<number> {
  const name = readFileSync(join(path, "CURRENT"), "utf8").trim();
  const tables = new Set<number>();
  for (const record of logRecords(readFileSync(join(path, name)))) applyEdit(record, tables);
  return tables;
}

/** One change of what the database consists of. */
function applyEdit(edit: Buffer, tables: Set<number>): void {
  for (let at = 0; at < edit.length; ) {
    const [tag, next] = readVarint(edit, at);
    at = next;
    const number = () => {
      const [value, end] = readVarint(edit, at);
      at = end;
      return value;
    };
    const text = () => {
      const length = number();
      at += length;
    };
    switch (tag) {
      case COMPARATOR:
        text();
        break;
      case LOG_NUMBER:
      case NEXT_FILE:
      case LAST_SEQUENCE:
      case PREVIOUS_LOG:
        number();
        break;
      case COMPACT_POINTER:
        number();
        text();
        break;
      case DELETED_FILE:
        number();
        tables.delete(number());
        break;
      case NEW_FILE:
        number();
        tables.add(number());
        number();
        text();
        text();
        break;
      default:
        throw new RangeError(`tag ${String(tag)} is none of LevelDB's`);
    }
  }
}
