/** The answers that units on a line without ids may still owe, pure: whose an answer can be. */
import { expectedFor, type Expected, type Rest } from "./expected.ts";
import { CRC, faultOf, frameLength, MAX_FRAME } from "./rtu.ts";

/** Whose an answer is: surely of the request sent last; or of the same one sent before; or of another one. */
export type Owner = "own" | "same" | "other";

/** A request without an answer so far. */
interface Asked {
  /** Its bytes: who asks for the same registers sends the same. */
  readonly frame: string;
  readonly expected: Expected;
  /** Elapsed time at which it was sent last. */
  readonly sentAt: number;
  /** Elapsed time from which on nobody reckons with an answer. */
  readonly until: number;
  /** How often it was sent in a row. */
  readonly times: number;
}

/** Requests that are remembered; the oldest goes first. */
const MOST = 256;
/** ms for which it is remembered how late answers were. */
const REMEMBERED = 60_000;

/**
 * Keeps account of what was asked. A unit answers in order, or not at all: whatever it answers, it no
 * longer owes what was asked before. Where several requests could have got an answer, it is taken for
 * the first of them, so that the others are still owed.
 */
export class Owed {
  #asked: Asked[] = [];
  /** The longest that an answer took of those that came late, ms at least; and when that was seen. */
  #latest = { took: 0, at: -Infinity };
  /** What came since the last request, or since the last frame that was found in it. */
  readonly #heard = Buffer.alloc(2 * MAX_FRAME);
  #have = 0;

  /** A request is sent at `now`; its answer is reckoned with until then (elapsed ms). */
  sent(request: Buffer, now: number, until: number): void {
    const expected = expectedFor(0, request.subarray(0, -CRC));
    const frame = request.toString("hex");
    const live = this.#asked.filter((asked) => asked.until > now);
    const last = live.findLast(({ expected: { unitId } }) => unitId === expected.unitId);
    const times = last?.frame === frame ? last.times + 1 : 1;
    const others = times > 1 ? live.filter((asked) => asked !== last) : live;
    this.#asked = [...others.slice(1 - MOST), { frame, expected, sentAt: now, until, times }];
    this.#have = 0;
  }

  /** Bytes came. */
  hear(bytes: Uint8Array): void {
    const kept = bytes.subarray(-this.#heard.length);
    const surplus = this.#have + kept.length - this.#heard.length;
    if (surplus > 0) this.#cut(surplus);
    this.#heard.set(kept, this.#have);
    this.#have += kept.length;
  }

  /** The request sent last has an answer at `now`, or an exception in place of it. */
  answered(isException: boolean, now: number): Owner {
    const last = this.#asked.at(-1);
    if (last === undefined) return "own";
    const { unitId, code, rest } = last.expected;
    const fitting = this.#asked.filter(
      ({ expected }) =>
        expected.unitId === unitId &&
        expected.code === code &&
        (isException || isSame(expected.rest, rest)),
    );
    this.#find([last]);
    const paid = fitting[0] ?? last;
    if (paid.frame !== last.frame) this.#note(paid, now);
    this.#pay(paid);
    if (fitting.length === 1 && last.times === 1) return "own";
    return fitting.every(({ frame }) => frame === last.frame) ? "same" : "other";
  }

  /** ms that late answers took of late, 0 when there were none. */
  latest(now: number): number {
    return now - this.#latest.at < REMEMBERED ? this.#latest.took : 0;
  }

  /** Looks for late answers in what came until `now`; tells whether there was one. */
  findLate(now: number): boolean {
    let found = false;
    for (let asked = this.#find(this.#asked); asked; asked = this.#find(this.#asked)) {
      this.#note(asked, now);
      this.#pay(asked);
      found = true;
    }
    return found;
  }

  /** Whether the unit that was asked last owes something. */
  get isOpen(): boolean {
    return this.#asked.some((asked) => this.#isOfLastUnit(asked));
  }

  /** Nothing is reckoned with any more from the unit that was asked last. */
  forget(): void {
    this.#asked = this.#asked.filter((asked) => !this.#isOfLastUnit(asked));
  }

  /** One that was sent several times may have been answered any time: it took as long as since the last one. */
  #note({ sentAt }: Asked, now: number): void {
    const took = Math.max(now - sentAt, this.latest(now));
    this.#latest = { took, at: now };
  }

  #isOfLastUnit({ expected }: Asked): boolean {
    return expected.unitId === this.#asked.at(-1)?.expected.unitId;
  }

  /** What its unit was asked before is not answered any more; the rest still may be. */
  #pay(paid: Asked): void {
    const index = this.#asked.indexOf(paid);
    const { unitId } = paid.expected;
    this.#asked = this.#asked.flatMap((asked, at) => {
      if (asked.expected.unitId !== unitId || at > index) return [asked];
      return asked === paid && asked.times > 1 ? [{ ...asked, times: asked.times - 1 }] : [];
    });
  }

  /** The first whole frame in what came that answers one of these, the earliest of them; it is taken out. */
  #find(wanted: readonly Asked[]): Asked | undefined {
    for (let start = 0; start < this.#have; start += 1) {
      const rest = this.#heard.subarray(start, this.#have);
      for (const asked of wanted) {
        if (faultOf(rest, rest.length, asked.expected) !== undefined) continue;
        const length = frameLength(rest, rest.length, asked.expected);
        if (length === undefined || length > rest.length) continue;
        this.#cut(start + length);
        return asked;
      }
    }
    return undefined;
  }

  #cut(count: number): void {
    this.#heard.copyWithin(0, count, this.#have);
    this.#have -= count;
  }
}

function isSame(a: Rest, b: Rest): boolean {
  return a === b || (Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b));
}
