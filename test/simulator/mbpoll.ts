/** What mbpoll, a master that is not ours, reads of a device. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Table } from "../../src/core/model.ts";

const MBPOLL = "/usr/bin/mbpoll";
const TABLES: Readonly<Record<Table, string>> = {
  coil: "0",
  discrete: "1",
  input: "3",
  holding: "4",
};

/** Where mbpoll finds a device: the options before and the argument behind all others. */
export interface MbpollTarget {
  readonly options: readonly string[];
  readonly place: string;
}

/** A device behind a port of the loopback address. */
export function overTcp(port: number): MbpollTarget {
  return { options: ["-m", "tcp", "-p", String(port)], place: "127.0.0.1" };
}

/** A device at the other end of a line. */
export function overLine(place: string, baud: number, parity: string): MbpollTarget {
  return { options: ["-m", "rtu", "-b", String(baud), "-P", parity], place };
}

/** What is to be read; `count` values of a type from an address, 0-based. */
export interface MbpollRead {
  readonly table: Table;
  readonly address: number;
  readonly count?: number;
  /** `int`, `float`, `hex`; without it 16 bits. */
  readonly form?: string;
  /** Whether the high word comes first. */
  readonly bigEndian?: boolean;
  readonly unit?: number;
}

/** Runs mbpoll; rejects with what it says when it fails. */
export async function runMbpoll(
  { options, place }: MbpollTarget,
  args: readonly string[],
  values: readonly string[] = [],
): Promise<string> {
  const all = [...options, "-0", "-o", "10", ...args, place, ...values];
  return (await promisify(execFile)(MBPOLL, all, { timeout: 60_000 })).stdout;
}

/** The values that mbpoll reads, as it writes them, by address. */
export async function mbpollRead(
  target: MbpollTarget,
  { table, address, count = 1, form, bigEndian = false, unit = 1 }: MbpollRead,
): Promise<ReadonlyMap<number, string>> {
  const type = form === undefined ? TABLES[table] : `${TABLES[table]}:${form}`;
  const what = ["-a", String(unit), "-t", type, "-r", String(address), "-c", String(count)];
  const stdout = await runMbpoll(target, ["-1", ...what, ...(bigEndian ? ["-B"] : [])]);
  const lines = stdout.matchAll(/^\[(\d+)\]:\s+(\S+)/gm);
  return new Map([...lines].map(([, place, value = ""]) => [Number(place), value]));
}
