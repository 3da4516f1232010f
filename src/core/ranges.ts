/** How the points of one table are shared out among requests, so that these take the least time together. */
import type { Point, Table } from "./model.ts";
import { isBitTable, reachOf } from "./types.ts";

/** A contiguous range of one table with the points in it, by address; `end` is exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly points: readonly Point[];
}

/** Points that are always read together. */
interface Piece {
  readonly start: number;
  readonly end: number;
  /** With their places in the configuration. */
  readonly members: { readonly point: Point; readonly place: number }[];
}

/** What holds for the requests to one table of a device. */
export interface RangeRules {
  /** Registers or bits of one request. */
  readonly longest: number;
  /** Unused ones between two points of a request. */
  readonly maxGap: number;
  /** Whether a request from `start` up to `end` (exclusive) is refused because of something in it, however much longer it gets. */
  readonly isRefused: (start: number, end: number) => boolean;
  /** ms of a request of so many. */
  readonly time: (count: number) => number;
}

/** ms by which sums of the same times may differ. */
const ROUNDING = 1e-6;

/** Registers or bits of one request to a table. */
export function longestOf(
  table: Table,
  limits: { readonly maxRegisters: number; readonly maxBits: number },
): number {
  return isBitTable(table) ? limits.maxBits : limits.maxRegisters;
}

/**
 * Divides the points into the ranges that take the least time together: for each piece, from the last
 * to the first, the best end of a request that begins with it. Of divisions that take the same time it
 * is the one whose first request is longest. A piece wider than the limit stands alone.
 */
export function rangesOf(points: readonly Point[], rules: RangeRules): Range[] {
  const pieces = piecesOf(points);
  const ends = bestEnds(pieces, rules);
  const ranges: Range[] = [];
  for (let from = 0; from < pieces.length; from = ends[from] ?? Infinity) {
    const members = pieces.slice(from, ends[from]);
    ranges.push(joined(members));
  }
  return ranges;
}

/** Points that lie within another are read with it: they are one piece. Starts and ends of pieces both rise. */
function piecesOf(points: readonly Point[]): Piece[] {
  const pieces: Piece[] = [];
  const sorted = points.map((point, place) => {
    const { from, to } = reachOf(point);
    return { start: point.address + from, end: point.address + to, point, place };
  });
  // The widest of those that begin together holds the others.
  sorted.sort((a, b) => a.start - b.start || b.end - a.end);
  for (const { start, end, ...member } of sorted) {
    const last = pieces.at(-1);
    if (last !== undefined && end <= last.end) last.members.push(member);
    else pieces.push({ start, end, members: [member] });
  }
  return pieces;
}

/** For each piece the index behind the last of the request that best begins with it. */
function bestEnds(pieces: readonly Piece[], rules: RangeRules): number[] {
  const best = new Array<number>(pieces.length + 1).fill(0);
  const ends = new Array<number>(pieces.length).fill(0);
  for (let from = pieces.length - 1; from >= 0; from--) {
    let least = Infinity;
    for (
      let to = from;
      to < pieces.length && (to === from || fits(pieces, from, to, rules));
      to++
    ) {
      const count = (pieces[to]?.end ?? 0) - (pieces[from]?.start ?? 0);
      const time = rules.time(count) + (best[to + 1] ?? 0);
      if (time > least + ROUNDING) continue;
      least = time;
      ends[from] = to + 1;
    }
    best[from] = least;
  }
  return ends;
}

/** Whether a request that begins with piece `from` and holds all up to the one before `to` may hold that as well. */
function fits(pieces: readonly Piece[], from: number, to: number, rules: RangeRules): boolean {
  const [first, before, last] = [pieces[from], pieces[to - 1], pieces[to]];
  if (first === undefined || before === undefined || last === undefined) return false;
  if (last.start - before.end > rules.maxGap || last.end - first.start > rules.longest)
    return false;
  return !rules.isRefused(first.start, last.end);
}

/** Points that begin together stay in the order of the configuration. */
function joined(pieces: readonly Piece[]): Range {
  const members = pieces.flatMap((piece) => piece.members);
  members.sort((a, b) => a.point.address - b.point.address || a.place - b.place);
  const points = members.map(({ point }) => point);
  return { start: pieces[0]?.start ?? 0, end: pieces.at(-1)?.end ?? 0, points };
}
