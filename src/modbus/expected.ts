/** What the answer to a request must look like (Modbus Application Protocol 6), in any framing; pure. */

/** Function of Read Device Identification (Modbus Application Protocol 6.21). */
export const IDENTIFY = 0x2b;
/** Its MEI type. */
export const MEI_TYPE = 0x0e;

/**
 * What stands behind the function of an answer: so many bytes of data behind their number, these bytes
 * of the request again, or a page of objects, which only itself knows the length of.
 */
export type Rest = number | Buffer | "page";

/** What an answer must carry to belong to the request in flight. */
export interface Expected {
  /** Transaction id; 0 where there is none. */
  readonly id: number;
  readonly unitId: number;
  readonly code: number;
  readonly rest: Rest;
}

/** What answer a request calls for; `body` is unit id and PDU of the request. */
export function expectedFor(id: number, body: Buffer): Expected {
  const code = body.readUInt8(1);
  return { id, unitId: body.readUInt8(0), code, rest: restFor(code, body) };
}

function restFor(code: number, body: Buffer): Rest {
  if (code <= 2) return Math.ceil(body.readUInt16BE(4) / 8);
  if (code <= 4) return 2 * body.readUInt16BE(4);
  // A write is answered with its address, and its value (5, 6) or quantity (15, 16).
  return code === IDENTIFY ? "page" : Buffer.from(body.subarray(2, 6));
}

/** Why the bytes from `at` up to `have` can't be, or begin, the rest of an answer, or undefined. */
export function restFaultOf(
  received: Buffer,
  at: number,
  have: number,
  rest: Rest,
): string | undefined {
  if (have <= at) return undefined;
  const first = received.readUInt8(at);
  if (typeof rest === "number")
    return first === rest ? undefined : wrong("byte count", first, rest);
  if (rest === "page") return first === MEI_TYPE ? undefined : wrong("MEI type", first, MEI_TYPE);
  const seen = received.subarray(at, Math.min(have, at + rest.length));
  if (rest.compare(seen, 0, seen.length, 0, seen.length) === 0) return undefined;
  return `${seen.toString("hex")} where it has to repeat ${rest.toString("hex")}`;
}

/** Bytes of the rest of an answer; undefined for a page. */
export function restLengthOf(rest: Rest): number | undefined {
  if (typeof rest === "number") return 1 + rest;
  return rest === "page" ? undefined : rest.length;
}

/** A field in words. */
export function wrong(field: string, seen: number, asked: number): string {
  return `${field} ${String(seen)} instead of ${String(asked)}`;
}
