/**
 * What a device says it is (Read Device Identification, Modbus Application Protocol 6.21): page by page,
 * with an end, whatever the device says of further pages.
 */

import { crc16 } from "./crc16.ts";
import { IDENTIFY, MEI_TYPE } from "./expected.ts";

/** The regular objects as a stream; a device that has only the basic ones answers with those. */
const REGULAR = 2;
const MORE_FOLLOWS = 0xff;
/** Function, MEI type, code, conformity, more follows, next object, number of objects. */
const HEAD = 7;
/** Pages asked for after the first. */
const MOST_FOLLOW_UPS = 16;

/** Ids of the objects that every scan shows; there are more. */
export const OBJECTS = {
  vendor: 0,
  productCode: 1,
  revision: 2,
  vendorUrl: 3,
  productName: 4,
  model: 5,
  application: 6,
} as const;

/** Asks a unit for the page that begins with an object (0 to 255). */
export interface PageRequest {
  readonly unitId: number;
  readonly object: number;
}

/** One page of objects, by id; bytes above 127 are taken for Latin-1. */
export interface Page {
  readonly objects: ReadonlyMap<number, string>;
  readonly conformity: number;
  /** The object that the next page begins with; undefined on the last one. */
  readonly next: number | undefined;
}

/** All that a device has told. */
export interface Identification {
  readonly objects: ReadonlyMap<number, string>;
  readonly conformity: number;
  /** Why there may be more, in words; undefined when there is not. */
  readonly cutShort: string | undefined;
}

/** What came of a request: the PDU of an answer that belongs to it, or why there is none, an exception included. */
export type PduAnswer<F> = { readonly ok: true; readonly pdu: Uint8Array } | F;

/** Why nothing is known: what `ask` failed with, or what was wrong with the first page. */
export type Unidentified<F> = F | { readonly ok: false; readonly detail: string };

/** The PDU that asks for the page beginning with an object (0 to 255). */
export function identificationRequest(object: number): Buffer {
  return Buffer.from([IDENTIFY, MEI_TYPE, REGULAR, object]);
}

/** The same with unit id and checksum, as ports take it. */
export function pageAdu({ unitId, object }: PageRequest): Buffer {
  const body = Buffer.from([unitId, ...identificationRequest(object), 0, 0]);
  body.writeUInt16LE(crc16(body, 0, body.length - 2), body.length - 2);
  return body;
}

/** The page that a PDU holds, or what is wrong with it: its objects must end where it ends. */
export function pageOf(pdu: Uint8Array): Page | { readonly fault: string } {
  const [code, type, category, conformity = 0, more, next, count = 0] = pdu;
  if (pdu.length < HEAD) return { fault: `${String(pdu.length)} bytes are no page` };
  if (code !== IDENTIFY || type !== MEI_TYPE) return { fault: "another function or MEI type" };
  if (category !== REGULAR)
    return { fault: `code ${String(category)} instead of ${String(REGULAR)}` };
  if (more !== 0 && more !== MORE_FOLLOWS) return { fault: `more follows is ${String(more)}` };
  const objects = new Map<number, string>();
  let at = HEAD;
  while (at < pdu.length) {
    const [id, length] = pdu.subarray(at, at + 2);
    if (id === undefined || length === undefined || at + 2 + length > pdu.length) {
      return { fault: `object ${String(id)} ends behind the answer` };
    }
    objects.set(id, Buffer.from(pdu.subarray(at + 2, at + 2 + length)).toString("latin1"));
    at += 2 + length;
  }
  // Some count the objects of all pages, as an example in the specification does.
  if (objects.size > count) return { fault: `more than ${String(count)} objects` };
  return { objects, conformity, next: more === MORE_FOLLOWS ? next : undefined };
}

/**
 * Asks a device what it is, with the first page and 16 more at most, each beginning further on. What
 * `ask` fails with for the first page is given back; later it only cuts short what came before.
 */
export async function identify<F extends { readonly ok: false; readonly detail: string }>(
  ask: (object: number) => Promise<PduAnswer<F>>,
): Promise<Identification | Unidentified<F>> {
  const objects = new Map<number, string>();
  let conformity = 0;
  let object = 0;
  const cut = (cutShort: string | undefined) => ({ objects, conformity, cutShort });
  for (let page = 0; page <= MOST_FOLLOW_UPS; page++) {
    const answer = await ask(object);
    if (!answer.ok) return page === 0 ? answer : cut(answer.detail);
    const found = pageOf(answer.pdu);
    if ("fault" in found) return page === 0 ? { ok: false, detail: found.fault } : cut(found.fault);
    conformity = found.conformity;
    for (const [id, text] of found.objects) objects.set(id, text);
    if (found.next === undefined) return cut(undefined);
    if (found.next <= object)
      return cut(`object ${String(found.next)} is said to follow ${String(object)}`);
    object = found.next;
  }
  return cut(`more is said to follow after ${String(MOST_FOLLOW_UPS)} further pages`);
}
