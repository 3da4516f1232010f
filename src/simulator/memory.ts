/** The tables of one simulated unit: what its device shows, and what was written over it. */
import type { Table } from "../core/model.ts";
import type { Device } from "./device.ts";

/** One unit's registers and bits. */
export class Memory {
  readonly device: Device;
  readonly #seconds: () => number;
  readonly #written: Readonly<Record<Table, Map<number, number>>> = {
    coil: new Map(),
    discrete: new Map(),
    holding: new Map(),
    input: new Map(),
  };

  /** `seconds` tells the time of the device. */
  constructor(device: Device, seconds: () => number) {
    this.device = device;
    this.#seconds = seconds;
  }

  /**
   * The entries of a range; undefined when it begins or ends where the device has nothing.
   *
   * What lies between two of its addresses is read as 0, as from most meters: a plan may read gaps.
   */
  read(table: Table, address: number, count: number): readonly number[] | undefined {
    const has = this.device.addresses[table];
    if (!has.has(address) || !has.has(address + count - 1)) return undefined;
    const shown = this.device.entriesAt(this.#seconds())[table];
    const written = this.#written[table];
    return Array.from({ length: count }, (_, i) => {
      return written.get(address + i) ?? shown.get(address + i) ?? 0;
    });
  }

  /** Writes a range, for good; false, and nothing is written, when the device has not all of it. */
  write(table: Table, address: number, values: readonly number[]): boolean {
    const has = this.device.addresses[table];
    if (!values.every((_, i) => has.has(address + i))) return false;
    values.forEach((value, i) => this.#written[table].set(address + i, value));
    return true;
  }
}
