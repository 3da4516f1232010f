/** What a simulated device is. */
import type { Table } from "../core/model.ts";

/** Registers (16 bits) or bits by address; addresses of the device that are not named are 0. */
export type Entries = Readonly<Record<Table, ReadonlyMap<number, number>>>;

/** A model of device: what it shows at a time is the same whenever it is asked. */
export interface Device {
  /** As it calls itself. */
  readonly name: string;
  /** Registers and bits of one read, 1 to 125 and 1 to 2000. */
  readonly maxRegisters: number;
  readonly maxBits: number;
  /** Those it has. */
  readonly addresses: Readonly<Record<Table, ReadonlySet<number>>>;
  /** What they hold, `seconds` after the beginning. */
  entriesAt(seconds: number): Entries;
}

/** The limits of Modbus itself (Modbus Application Protocol 6.1 and 6.3). */
export const MODBUS_LIMITS = { maxRegisters: 125, maxBits: 2000 } as const;
