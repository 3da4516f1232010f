/** Why nothing was written, or why nobody knows, in words and with what to try next. */
import { UnavailableError } from "../core/errors.ts";
import type { DirectWrite, Written } from "../app/write.ts";
import { causeOf, failureOf, type Asked } from "./read-failure.ts";

/** What exceptions mean in answer to a write (Modbus Application Protocol 7). */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: "it does not know this function: it may take no writes at all, or only by another function",
  2: "it has no such address, or does not let it be written",
  3: "it refuses the value: out of its range, or not as many registers as it wants at once",
  4: "it failed while it wrote",
  5: "it has begun, and needs a while",
  6: "it is busy: try again",
  8: "its memory is faulty",
  10: "the gateway has no way to this unit: check its serial side",
  11: "the gateway got no answer from this unit: wrong unit id, or the device is off",
};

/** Throws `UnavailableError` unless the write was answered, or the device holds what was to be written. */
export function refuseUnwritten(
  { verdict, failure }: Written,
  { unitId, table, address, words }: DirectWrite,
  { next, ...given }: Omit<Asked, "where"> & { readonly next: string },
): void {
  if (failure === undefined || verdict === "confirmed" || verdict === "unconfirmed") return;
  const request = { unitId, table, address, count: words.length };
  const asked = { ...given, where: given.connection.url };
  if (verdict === "unasked" || verdict === "unsent" || verdict === "refused") {
    const why = failureOf(failure, request, asked, EXCEPTIONS);
    throw new UnavailableError("NO_ANSWER", `Nothing was written: ${why}`);
  }
  const why = causeOf(failure, request, asked, EXCEPTIONS);
  const now =
    verdict === "unchanged" ? "It still holds what it held before" : "What it holds does not tell";
  throw new UnavailableError(
    "WRITE_UNKNOWN",
    `It is not known whether this was written: ${why}. ${now}; the write was sent once, and may ` +
      `still be carried out. Next: ${next}`,
  );
}
