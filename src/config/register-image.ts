/** Register images: what a table of a device holds, as a file. */
import { z } from "zod";
import type { Table } from "../core/model.ts";
import type { Draft } from "./draft.ts";
import type { Judge } from "./mistakes.ts";
import { readSettings } from "./read-settings.ts";
import { number, oneOf, section, text } from "./schema-kinds.ts";

/** Registers or bits of one table by address. */
export interface RegisterImage {
  readonly table: Table;
  readonly entries: ReadonlyMap<number, number>;
}

const ADDRESS = /^(0x[0-9a-f]{1,4}|\d{1,5})$/i;
const REGISTERS =
  'must be a section of addresses from 0 to 65535 or 0xffff, each with its words in hexadecimal, such as "0x0010": "4366 8000"';
const WORDS =
  'must be words of four hexadecimal digits, such as "4366 8000"; of coil and discrete bits, such as "0 1 1"; in quotes';
const WORD = /^[0-9a-f]{4}( [0-9a-f]{4})*$/i;
const BIT = /^[01]( [01])*$/;

const words = z.string({ error: WORDS }).refine((value) => WORD.test(value) || BIT.test(value), {
  error: WORDS,
});

/** An image file; `profile` and `values` say what it was made for. */
const imageSchema = section({
  profile: text(4096).optional().describe("Profile of the device."),
  table: oneOf(["coil", "discrete", "holding", "input"]).describe("Table that it is of."),
  registers: z
    .record(z.string(), words, { error: REGISTERS })
    .describe("Words by the address of the first."),
  values: z
    .record(z.string(), number(), { error: "must be a section of points and their values" })
    .optional()
    .describe("What the points of the profile then show."),
});

/** Reads an image. Throws `FILE_FAILED`, or `CONFIG_INVALID` with every mistake. */
export function readImage(path: string): RegisterImage {
  const { table, registers } = readSettings(path, imageSchema, check);
  return { table, entries: entriesOf(registers) };
}

function check({ table, registers = {} }: Draft<z.output<typeof imageSchema>>, judge: Judge): void {
  const form = table === "coil" || table === "discrete" ? BIT : WORD;
  const claimed = new Map<number, string>();
  for (const [address, value = ""] of Object.entries(registers)) {
    const place = ["registers", address];
    const end = Number(address) + value.split(" ").length;
    if (!ADDRESS.test(address)) {
      judge.complain(place, "must be an address from 0 to 65535 or 0xffff", "key");
    } else if (end > 65_536) {
      judge.complain(place, "goes beyond address 65535", "key");
    } else if (table !== undefined && value !== "" && !form.test(value)) {
      judge.complain(place, WORDS);
    } else {
      const twice = claim(claimed, address, end);
      if (twice !== undefined) judge.complain(place, twice, "key");
    }
  }
}

/** Notes who holds the addresses up to `end`; says which of them is held already, and by whom. */
function claim(claimed: Map<number, string>, address: string, end: number): string | undefined {
  let twice: string | undefined;
  for (let at = Number(address); at < end; at++) {
    const other = claimed.get(at);
    if (other === undefined) claimed.set(at, address);
    else twice ??= `claims address ${String(at)}, as registers.${other} does`;
  }
  return twice;
}

function entriesOf(registers: Readonly<Record<string, string>>): Map<number, number> {
  const words = Object.entries(registers).flatMap(([address, text]) =>
    text.split(" ").map((word, i) => [Number(address) + i, Number.parseInt(word, 16)] as const),
  );
  return new Map(words);
}
