/** One write that a person asked for: what was there before, the write itself, and what is there then. */
import type { Answer, ReadRequest, WriteRequest } from "../core/ports.ts";
import { failureOf, type DirectAnswer, type DirectFailure } from "./direct-answer.ts";

/** Exceptions that say that nothing was written (Modbus Application Protocol 7; 10: no way to the unit). */
const REFUSALS: readonly number[] = [1, 2, 3, 6, 7, 8, 10];
const NO_SUCH_FUNCTION = 1;

/** A write as it goes over the control socket: words as in `WriteRequest`. */
export type DirectWrite = Omit<WriteRequest, "words" | "asSeveral"> & {
  readonly words: readonly number[];
};

/**
 * What is known of a write:
 *
 * - `unasked`: nothing was sent, for the unit did not answer the read before.
 * - `unsent`: nothing was sent, for the connection was lost.
 * - `refused`: by an exception that says that nothing was written.
 * - `confirmed`: the place holds what was written, whether or not the write was answered.
 * - `differs`: the write was answered, and the place holds something else.
 * - `unconfirmed`: the write was answered, and the place can't be read.
 * - `unchanged`: the write was not answered, and the place holds what it held before.
 * - `unknown`: the write was not answered, and what the place holds does not tell.
 */
export type Verdict =
  | "unasked"
  | "unsent"
  | "refused"
  | "confirmed"
  | "differs"
  | "unconfirmed"
  | "unchanged"
  | "unknown";

/** What came of a write. */
export interface Written {
  readonly verdict: Verdict;
  /** 5, 6, 15 or 16; the last one sent. */
  readonly function: number;
  /** The words there before and after; absent when they could not be read, or were not. */
  readonly before?: readonly number[];
  readonly after?: readonly number[];
  /** Why the write was not answered as it should have been, or why the unit could not be read. */
  readonly failure?: DirectFailure;
}

/** How requests are sent; each is sent once. */
export interface Asking {
  read(request: ReadRequest): Promise<DirectAnswer>;
  write(request: WriteRequest): Promise<Answer>;
}

/**
 * Reads, writes and reads again. A write is sent once; only a unit that does not know the function for
 * one value, and so has done nothing, is asked again with the one for several.
 */
export async function carryOut(write: DirectWrite, ask: Asking): Promise<Written> {
  const { unitId, table, address } = write;
  const words = Uint16Array.from(write.words);
  const place: ReadRequest = { unitId, table, address, count: words.length };
  const before = await ask.read(place);
  if (!before.ok && before.reason !== "exception") {
    return { verdict: "unasked", function: functionOf(table, false), failure: before };
  }
  let asSeveral = words.length > 1;
  let answer = await ask.write({ unitId, table, address, words, asSeveral });
  if (!asSeveral && !answer.ok && answer.exception === NO_SUCH_FUNCTION) {
    asSeveral = true;
    answer = await ask.write({ unitId, table, address, words, asSeveral });
  }
  const had = before.ok ? { before: before.words } : {};
  const told = {
    function: functionOf(table, asSeveral),
    ...had,
    ...(answer.ok ? {} : { failure: failureOf(answer) }),
  };
  if (!answer.ok && answer.sentAt === null) return { verdict: "unsent", ...told };
  if (!answer.ok && REFUSALS.includes(answer.exception ?? 0))
    return { verdict: "refused", ...told };
  const after = await ask.read(place);
  if (answer.ok && !after.ok) {
    return { verdict: "unconfirmed", ...told, failure: after };
  }
  const has = after.ok ? { after: after.words } : {};
  return { verdict: verdictOf(write, answer.ok, { ...had, ...has }), ...told, ...has };
}

function verdictOf(
  { words }: DirectWrite,
  isAnswered: boolean,
  { before, after }: Pick<Written, "before" | "after">,
): Verdict {
  if (after !== undefined && isSame(after, words)) return "confirmed";
  if (isAnswered) return "differs";
  const isUntouched = after !== undefined && before !== undefined && isSame(after, before);
  return isUntouched ? "unchanged" : "unknown";
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((word, n) => word === others[n]);
}

function functionOf(table: WriteRequest["table"], asSeveral: boolean): number {
  if (table === "coil") return asSeveral ? 15 : 5;
  return asSeveral ? 16 : 6;
}
