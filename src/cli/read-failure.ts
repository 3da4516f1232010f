/** Why a read came to nothing, in words and with what to try next. */
import { addressAsReference } from "../config/reference.ts";
import type { DirectAnswer } from "../app/read.ts";
import type { ReadRequest } from "../core/ports.ts";
import { referenceOf } from "../core/reference.ts";

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

/** What happened at the device, as one line. */
export function failureOf(
  { reason, exception, detail }: Extract<DirectAnswer, { ok: false }>,
  { unitId, table, address, count }: ReadRequest,
  where: string,
  exceptions = EXCEPTIONS,
): string {
  const what = `unit ${String(unitId)}, ${table} ${String(address)} (${referenceOf(table, address)}), count ${String(count)}`;
  const meant = exception === 2 ? addressAsReference({ table, address }) : undefined;
  const hint =
    meant === undefined
      ? ""
      : `; ${String(address)} looks like a reference, which is address ${String(meant.address)} of ${table}`;
  return `${where} ${textOf(reason, exception, detail, unitId, exceptions)}${hint} (${what})`;
}

function textOf(
  reason: string,
  exception: number | undefined,
  detail: string,
  unitId: number,
  exceptions: Readonly<Record<number, string>>,
) {
  if (reason === "exception") {
    const meaning = exceptions[exception ?? 0] ?? "which the specification does not explain";
    return `answered with exception ${String(exception)}: ${meaning}`;
  }
  if (reason === "timeout") {
    return `is connected, but unit ${String(unitId)} is silent (${detail}): mostly a wrong unit id, or a device that is off behind a gateway`;
  }
  if (reason === "bad_frame") return `answered with something that is no Modbus/TCP: ${detail}`;
  if (detail.includes("ECONNREFUSED"))
    return "refuses the connection: nothing listens on this port; is it the right one, and is Modbus TCP switched on there?";
  if (/ENOTFOUND|EAI_AGAIN/.test(detail))
    return "has a host name that can't be resolved: misspelt, or the name server does not know it; try its address";
  return `can't be connected (${detail}): wrong host, a firewall, or the device is off`;
}
