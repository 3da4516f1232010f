/** Registers that a device refuses to have read with others: what was found out about it, and how it is said. */
import { fnv1a } from "./fnv.ts";
import type { Device, Gateway, Refusal, Table } from "./model.ts";
import { referenceOf } from "./reference.ts";
import { widthOf } from "./types.ts";

/** What is known of a device beyond its configuration. */
export interface Learned {
  /** Of the configuration that it was found out with; under another it counts no more. */
  readonly of: number;
  readonly refused: readonly Refusal[];
}

/** Exceptions that tell of the registers asked for (Modbus Application Protocol 7): illegal address, illegal value. */
const OF_REGISTERS: readonly (number | undefined)[] = [2, 3];

/** Whether an exception tells of the registers that were asked for, so that others may be read. */
export function isAboutRegisters(exception: number | undefined): boolean {
  return OF_REGISTERS.includes(exception);
}

/** Whether a request from `start` up to `end` (exclusive) would read what the device refuses; a refused stretch may be read alone. */
export function isRefused(
  refused: readonly Refusal[] | undefined,
  table: Table,
  start: number,
  end: number,
): boolean {
  if (refused === undefined) return false;
  return refused.some(({ table: theirs, address, count }) => {
    if (theirs !== table || start >= address + count || end <= address) return false;
    return start < address || end > address + count;
  });
}

/** Tells one configuration of a device from another, as far as its requests go. */
export function configurationOf(
  { connection }: Gateway,
  { unitId, merge, points }: Device,
): number {
  const places = points.map((point) => [
    ...[point.table, point.address, widthOf(point), point.interval],
    ...(point.scaleRegister === undefined ? [] : [point.scaleRegister]),
  ]);
  return fnv1a(JSON.stringify([connection.url, unitId, merge, places]));
}

/** A gateway whose plans keep to what its devices refuse, by their ids. */
export function withRefusals(
  gateway: Gateway,
  refusedBy: (device: string) => readonly Refusal[],
): Gateway {
  const devices = gateway.devices.map((device) => {
    const refused = refusedBy(device.id);
    return refused.length === 0 ? device : { ...device, refused };
  });
  return { ...gateway, devices };
}

/** Such as `holding 8 to 11 (400009 to 400012)`; a stretch without registers lies between two. */
export function stretchText({ table, address, count }: Omit<Refusal, "exception">): string {
  if (count === 1) return `${table} ${String(address)} (${referenceOf(table, address)})`;
  const [from, to] = count === 0 ? [address - 1, address] : [address, address + count - 1];
  const places = `${referenceOf(table, from)} to ${referenceOf(table, to)}`;
  return `${table} ${String(from)} to ${String(to)} (${places})`;
}
