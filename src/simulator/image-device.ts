/** A device that holds what register images say, and nothing else. */
import type { Table } from "../core/model.ts";
import { MODBUS_LIMITS, type Device } from "./device.ts";

/** Registers or bits of one table. */
export interface RegisterImage {
  readonly table: Table;
  /** By address, 0-based. */
  readonly entries: ReadonlyMap<number, number>;
}

/** A device of images, of which no two have the same address of a table. */
export function imageDevice(name: string, images: readonly RegisterImage[]): Device {
  const of = (table: Table) =>
    new Map(images.filter((each) => each.table === table).flatMap(({ entries }) => [...entries]));
  const entries = {
    ...{ coil: of("coil"), discrete: of("discrete"), holding: of("holding"), input: of("input") },
  };
  const addresses = {
    coil: new Set(entries.coil.keys()),
    discrete: new Set(entries.discrete.keys()),
    holding: new Set(entries.holding.keys()),
    input: new Set(entries.input.keys()),
  };
  return { name, ...MODBUS_LIMITS, addresses, entriesAt: () => entries };
}
