/**
 * Reads LevelDB's tables before LevelDB does: it checks no block, and where one is damaged it gives back
 * wrong records, leaves some out, or ends the process. Format: LevelDB's doc/table_format.md.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fitsChecksum } from "./crc32c.ts";
import { damage } from "./damage.ts";
import { tablesOf } from "./manifest.ts";
import { readVarint, unsnap } from "./snappy.ts";

const FOOTER = 48;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
/** Behind each block stand a byte that says how it is compressed, and the checksum of both. */
const SNAPPY = 1;

/** Where a block lies in its file. */
interface Place {
  readonly at: number;
  readonly size: number;
}

/**
 * Throws `StoreError` STORE_DAMAGED when a block of a table that belongs to the database has a wrong
 * checksum. Reads every byte of them. A table that was being written when the process died belongs to
 * nothing: LevelDB deletes it.
 */
export function refuseDamagedTables(path: string): void {
  const belongs = membersOf(path);
  const name = damagedTables(path).find((one) => belongs(Number.parseInt(one, 10)));
  if (name === undefined) return;
  throw damage(
    `${join(path, name)} has a wrong checksum: records are lost, most likely because the disk is failing.`,
  );
}

/** Whether a table belongs to the database, by its number; where that can't be read all do. */
function membersOf(path: string): (table: number) => boolean {
  try {
    const tables = tablesOf(path);
    return (table) => tables.has(table);
  } catch {
    return () => true;
  }
}

/** The names of the tables with a damaged block, in order, whether they belong to the database or not. */
export function damagedTables(path: string): string[] {
  const names = readdirSync(path).filter((name) => /\.(ldb|sst)$/.test(name));
  return names.filter((name) => !isIntact(readFileSync(join(path, name)))).sort();
}

/** Whether every block of a table has the checksum that was written with it. */
export function isIntact(table: Buffer): boolean {
  const footer = table.length - FOOTER;
  if (footer < 0 || !table.subarray(-MAGIC.length).equals(MAGIC)) return false;
  try {
    const [meta, second] = readPlace(table, footer);
    const [index] = readPlace(table, second);
    // What an index says is believed once its own checksum is right.
    const places = [meta, index].flatMap((place) => placesIn(indexOf(table, place)));
    return places.every((place) => isWhole(table, place));
  } catch {
    // Not what LevelDB writes, or something lies beyond the end.
    return false;
  }
}

function isWhole(table: Buffer, { at, size }: Place): boolean {
  return fitsChecksum(table.subarray(at, at + size + 1), table.readUInt32LE(at + size + 1));
}

/** The bytes of a block that names others. */
function indexOf(table: Buffer, place: Place): Buffer {
  const { at, size } = place;
  if (!isWhole(table, place)) throw new RangeError("the checksum is wrong");
  const block = table.subarray(at, at + size);
  return table[at + size] === SNAPPY ? unsnap(block) : block;
}

/** The places that an index names: its entries are a key, shortened by what it shares with the one before, and a place. */
function placesIn(index: Buffer): Place[] {
  const restarts = index.readUInt32LE(index.length - 4);
  const end = index.length - 4 * (restarts + 1);
  const places: Place[] = [];
  for (let at = 0; at < end; ) {
    const [, unshared] = readVarint(index, at);
    const [keyLength, value] = readVarint(index, unshared);
    const [valueLength, key] = readVarint(index, value);
    places.push(readPlace(index, key + keyLength)[0]);
    at = key + keyLength + valueLength;
  }
  return places;
}

function readPlace(bytes: Buffer, from: number): [place: Place, next: number] {
  const [at, second] = readVarint(bytes, from);
  const [size, next] = readVarint(bytes, second);
  return [{ at, size }, next];
}
