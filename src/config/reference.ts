/** The 1-based notation of Modbus addresses: a digit for the table, then the number in it. */
import type { Table } from "../core/model.ts";

const TABLES: Readonly<Record<string, Table>> = {
  "0": "coil",
  "1": "discrete",
  "3": "input",
  "4": "holding",
};

/** Where a reference points. */
export interface Place {
  readonly table: Table;
  /** 0-based. */
  readonly address: number;
}

/** Table and address of a 5- or 6-digit reference such as `40001`, undefined if it is none. */
export function parseReference(text: string): Place | undefined {
  const [, digit, digits] = /^([0134])(\d{4,5})$/.exec(text) ?? [];
  const table = digit === undefined ? undefined : TABLES[digit];
  const number = Number(digits);
  if (table === undefined || number < 1 || number > 65_536) return undefined;
  return { table, address: number - 1 };
}

/** What is wrong with six digits that lie behind the last reference of a table, undefined for all others. */
export function beyondReferences(text: string): string | undefined {
  const [, digit = "", digits] = /^([0134])(\d{5})$/.exec(text) ?? [];
  const table = TABLES[digit];
  const number = Number(digits);
  if (table === undefined || number <= 65_536) return undefined;
  return `would be address ${String(number - 1)} of ${table}; the last is ${digit}65536, address 65535`;
}

/** First references of the tables, by which five digits give themselves away. */
const FIRST: Partial<Record<Table, number>> = { discrete: 10_001, input: 30_001, holding: 40_001 };

/** What an address would be as a 5-digit reference of its table, undefined for one that is none. */
export function addressAsReference({ table, address }: Place): Place | undefined {
  const first = FIRST[table];
  const fits = first !== undefined && address >= first && address < first + 9999;
  return fits ? { table, address: address - first } : undefined;
}
