/** Why a read came to nothing, in words and with what to try next. */
import { addressAsReference } from "../config/reference.ts";
import type { DirectAnswer } from "../app/read.ts";
import type { Connection } from "../core/model.ts";
import type { ReadRequest } from "../core/ports.ts";
import { referenceOf } from "../core/reference.ts";
import { garbledText, nextLook, silenceText, unreachableText } from "./likely-causes.ts";

/** What exceptions mean in practice (Modbus Application Protocol 7). */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: "it does not know this function: try another table",
  2: "it has no such address: addresses may be off by one, or the request reaches beyond what is there",
  3: "it refuses the quantity: read fewer at once",
  4: "it failed inside",
  6: "it is busy: try again",
  10: "the gateway has no way to this unit: check its serial side",
  11: "the gateway got no answer from this unit: wrong unit id, or the device is off",
};

type Failure = Extract<DirectAnswer, { ok: false }>;

/** Who was asked. */
export interface Asked {
  /** What it is called on the command line. */
  readonly where: string;
  readonly connection: Connection;
  /** The connection in the words it was given in, for the next command; default its URL. */
  readonly typed?: string;
}

/** What happened at the device, as one line with the next command. */
export function failureOf(
  failure: Failure,
  request: ReadRequest,
  asked: Asked,
  exceptions = EXCEPTIONS,
): string {
  const { reason, detail } = failure;
  const next = nextLook(asked, { unitId: request.unitId, reason, detail });
  const text = causeOf(failure, request, asked, exceptions);
  return next === undefined ? text : `${text}. Next: ${next}`;
}

/** The same without what to do next. */
export function causeOf(
  failure: Failure,
  request: ReadRequest,
  { where, connection }: Asked,
  exceptions = EXCEPTIONS,
): string {
  const { reason, exception, detail } = failure;
  const { unitId, table, address, count } = request;
  // Nothing was asked; and a line says itself what to do next.
  if (reason === "connect_failed") return `${where} ${unreachableText(connection, detail)}`;
  const what = `(unit ${String(unitId)}, ${table} ${String(address)} (${referenceOf(table, address)}), count ${String(count)})`;
  if (reason === "timeout") return `${where} ${silenceText(connection, unitId, detail)} ${what}`;
  if (reason === "bad_frame") return `${where} ${garbledText(connection, detail)} ${what}`;
  const meaning = exceptions[exception ?? 0] ?? "which the specification does not explain";
  const hint = exception === 2 ? meantReference(request) : "";
  return `${where} answered with exception ${String(exception)}: ${meaning}${hint} ${what}`;
}

function meantReference({ table, address }: ReadRequest): string {
  const meant = addressAsReference({ table, address });
  if (meant === undefined) return "";
  return `; ${String(address)} looks like a reference, which is address ${String(meant.address)} of ${table}`;
}
