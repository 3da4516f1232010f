/** Rules between the keys of a point. */
import type { MergeLimits, PointType, Table } from "../core/model.ts";
import { isBitTable, reachOf, registersOf, TYPES } from "../core/types.ts";
import { checkType } from "./check-type.ts";
import type { Draft } from "./draft.ts";
import type { Judge } from "./mistakes.ts";
import type { Path } from "./places.ts";
import { parseReference } from "./reference.ts";
import type { Place } from "./reference.ts";
import type { Settings } from "./schema.ts";

/** A point as it stands in the configuration. */
export type PointSettings = NonNullable<
  Settings["gateways"][number]["devices"][number]["points"]
>[number];

/** A point of which any part can be absent because it is wrong. */
export type DraftPoint = Draft<PointSettings>;

/** Checks one point. */
export function checkPoint(point: DraftPoint, merge: MergeLimits, path: Path, judge: Judge): void {
  const { type } = point;
  checkPlace(point, path, judge);
  const place = placeOf(point);
  const table = place?.table ?? point.table;
  if (type === undefined) return;
  if (table !== undefined) checkTable(point, type, table, path, judge);
  checkType(point, type, path, judge);
  if (place !== undefined && !isBitTable(place.table)) {
    checkWidth(point, type, place.address, merge, path, judge);
    checkScaleRegister(point, { ...place, type }, merge, path, judge);
  }
}

/** Where a point lies, undefined if it does not say. */
export function placeOf(point: DraftPoint): Place | undefined {
  if (point.reference !== undefined) return parseReference(point.reference);
  const { table, address } = point;
  return table === undefined || address === undefined ? undefined : { table, address };
}

function checkPlace(point: DraftPoint, path: Path, { has, complain }: Judge): void {
  // Only what is not in the draft has to be looked for in the file: absent, or wrong.
  const given = (key: "table" | "address" | "reference") =>
    point[key] !== undefined || has([...path, key]);
  const table = given("table");
  const address = given("address");
  if (given("reference")) {
    const text = "must stand alone: it takes the place of table and address";
    if (table || address) complain([...path, "reference"], text, "key");
  } else if (!table && !address) complain(path, "has neither table and address nor reference");
  else if (!table) complain(path, "has no table, which goes with address");
  else if (!address) complain(path, "has no address, which goes with table");
}

function checkTable(
  { bit }: DraftPoint,
  type: PointType,
  table: Table,
  path: Path,
  judge: Judge,
): void {
  if (isBitTable(table)) {
    if (type !== "bool") judge.complain([...path, "type"], `must be bool: ${table} holds bits`);
    if (bit !== undefined)
      judge.complain([...path, "bit"], `must be left out: ${table} holds bits`, "key");
  } else if (type === "bool" && !judge.has([...path, "bit"])) {
    judge.complain(path, `has no bit, which a bool in ${table} needs: 0 (least significant) to 15`);
  }
}

/** A value must lie within its table and within one request. */
function checkWidth(
  { length, reference }: DraftPoint,
  type: PointType,
  address: number,
  { maxRegisters }: MergeLimits,
  path: Path,
  judge: Judge,
): void {
  const isText = TYPES[type].registers === "length";
  if (isText && length === undefined) return;
  const registers = registersOf({ type, ...(length === undefined ? {} : { length }) });
  if (address + registers > 65_536) {
    const text = `must leave room for the ${String(registers)} registers of ${type}`;
    const key = reference === undefined ? "address" : "reference";
    judge.complain([...path, key], `${text}; the last address is 65535`);
  }
  if (registers > maxRegisters) {
    const text = `takes ${String(registers)} registers, more than merge.maxRegisters allows`;
    judge.complain([...path, isText ? "length" : "type"], text);
  }
}

/** A scale register lies beside the value, and is read with it in one request. */
function checkScaleRegister(
  { reference, scaleRegister }: DraftPoint,
  value: Place & { readonly type: PointType },
  { maxRegisters }: MergeLimits,
  path: Path,
  { complain, has }: Judge,
): void {
  if (scaleRegister === undefined || TYPES[value.type].registers === "length") return;
  const at = [...path, "scaleRegister"];
  const { from, to } = reachOf({ ...value, scaleRegister });
  if (reference !== undefined) {
    complain(at, "counts from 0: it goes with table and address, not with reference", "key");
  } else if (to - from === registersOf(value)) {
    complain(at, "must lie outside the registers of the value");
  } else if (to - from > maxRegisters) {
    const text = `must be read with its value, ${String(to - from)} registers in one request`;
    complain(at, `${text}; merge.maxRegisters allows ${String(maxRegisters)}`);
  } else if (has([...path, "writable"])) {
    complain(at, "must be left out of a point that is written: it may change in between", "key");
  }
}

/** Registers that a request must take for a point that was checked. */
export function reachedBy(point: PointSettings): number {
  const { type, length, scaleRegister } = point;
  const { table = "holding", address = 0 } = placeOf(point) ?? {};
  const { from, to } = reachOf({
    ...{ table, address, type },
    ...(length === undefined ? {} : { length }),
    ...(scaleRegister === undefined ? {} : { scaleRegister }),
  });
  return to - from;
}
