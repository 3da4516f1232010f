/** Values that were read, as they are shown. */
import { decoderOf, type Value } from "../core/decode.ts";
import type { Point } from "../core/model.ts";
import type { PlannedRequest } from "../core/plan.ts";
import { referenceOf } from "../core/reference.ts";
import { isBitTable, TYPES, widthOf } from "../core/types.ts";
import { columns } from "./columns.ts";

const ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"] as const;

/** A point that was read; `uncertain` and `error` as in a reading. */
export interface PointRow {
  readonly point: string;
  readonly address: number;
  readonly reference: string;
  readonly order: Point["order"];
  readonly raw?: string;
  readonly value?: Value;
  readonly unit?: string;
  readonly uncertain?: string;
  readonly error?: { readonly reason: string; readonly exception?: number };
  /** What the words are in each order, when there is more than one. */
  readonly orders?: Readonly<Record<string, unknown>>;
}

/** The row of a point; without words its request was refused. */
export function pointRow(
  { point, at, decode }: PlannedRequest["points"][number],
  words: Uint16Array | undefined,
  exception: number | undefined,
): PointRow {
  const { id, table, address, order, unit } = point;
  const place = { point: id, address, reference: referenceOf(table, address), order };
  if (words === undefined) {
    const number = exception === undefined ? {} : { exception };
    return { ...place, error: { reason: "exception", ...number } };
  }
  const all = inAllOrders(point, words, at);
  const raw = {
    raw: rawOf(words, at, point),
    ...(Object.keys(all).length > 1 ? { orders: all } : {}),
  };
  const decoded = decode(words, at);
  if ("reason" in decoded) return { ...place, ...raw, error: { reason: decoded.reason } };
  return { ...place, ...raw, ...decoded, ...(unit === undefined ? {} : { unit }) };
}

/** Rows as a table; what is wrong with a value stands behind it, and what other orders would make of it. */
export function pointLines(rows: readonly PointRow[]): string[] {
  const cells = rows.map((row) => {
    const value = `${String(row.value ?? "-")} ${row.unit ?? ""}`.trimEnd();
    const others = Object.entries(row.orders ?? {}).filter(([order]) => order !== row.order);
    const told = others.map(([order, other]) => `${order} ${String(other)}`).join("  ");
    const order = row.orders === undefined ? "" : row.order;
    return [
      row.point,
      String(row.address),
      row.reference,
      row.raw ?? "-",
      value,
      markOf(row),
      order,
      told,
    ];
  });
  const head = [
    "point",
    "address",
    "reference",
    "raw",
    "value",
    "quality",
    "order",
    "in other orders",
  ];
  return columns([head, ...cells]);
}

function markOf({ error, uncertain }: PointRow): string {
  if (uncertain !== undefined) return `uncertain: ${uncertain}`;
  if (error === undefined) return "good";
  const number = error.exception === undefined ? "" : ` ${String(error.exception)}`;
  return `bad: ${error.reason}${number}`;
}

/** The value in every order that its registers can have. */
export function inAllOrders(point: Point, words: Uint16Array, at: number): Record<string, unknown> {
  const orders = widthOf(point) > 1 && !isText(point) ? ORDERS : (["ABCD"] as const);
  const found = orders.map((order) => {
    const decoded = decoderOf({ ...point, order })(words, at);
    return [order, "value" in decoded ? decoded.value : decoded.reason] as const;
  });
  return Object.fromEntries(found);
}

/** The words of a value in hexadecimal, bits as they are. */
export function rawOf(words: Uint16Array, at: number, point: Point): string {
  const own = [...words.subarray(at, at + widthOf(point))];
  if (isBitTable(point.table)) return own.join("");
  return own.map((word) => word.toString(16).toUpperCase().padStart(4, "0")).join(" ");
}

/** Whether a type spans as many registers as its point says. */
export function isText({ type }: Pick<Point, "type">): boolean {
  return TYPES[type].registers === "length";
}
