/** What a simulated device shows to its readers. */
import type { Table } from "../core/model.ts";

/** The tables of a device at one moment. */
export interface Image {
  /** Entries of each table; an address beyond is none of the device's. */
  readonly size: Readonly<Record<Table, number>>;
  /** Registers (16 bits) or bits by address; entries not named are 0. */
  readonly entries: Readonly<Record<Table, ReadonlyMap<number, number>>>;
}

/** A simulated device: its image at a time in seconds, the same whenever it is asked. */
export type ImageAt = (seconds: number) => Image;

/** The two registers of a float32 in the order ABCD. */
export function float32At(address: number, value: number): [number, number][] {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setFloat32(0, value);
  return [
    [address, bytes.getUint16(0)],
    [address + 1, bytes.getUint16(2)],
  ];
}
