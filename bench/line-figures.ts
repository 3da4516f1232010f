/** How full a line was, from what its slave saw. */
import { at, medianOf, quantilesOf, type Quantiles } from "./quantiles.ts";

/** Bytes of a request and of an answer without its registers; bits of a character of 8N1 (Modbus over Serial Line 2.5.1). */
const FRAMES = 8 + 5;
export const BITS = 10;
/** Above this speed the 3.5 characters of silence are a fixed time, ms (2.5.1.1). */
const FIXED_ABOVE = 19_200;
const FIXED_SILENCE = 1.75;

/** ms that a poll of so many registers takes at best, the silences behind its two frames included; and such a silence. */
export function bestOf(baud: number, registers: number): { ideal: number; due: number } {
  const character = (1000 * BITS) / baud;
  const due = baud > FIXED_ABOVE ? FIXED_SILENCE : 3.5 * character;
  return { ideal: (FRAMES + 2 * registers) * character + 2 * due, due };
}

/** A request as `line-slave.py` tells of it, all ms: when it came, the silence before it, by which its answer was late. */
export type SeenRequest = readonly [came: number, silence: number, late: number];

/** What the slave saw. */
export interface SeenLine {
  readonly requests: readonly SeenRequest[];
  /** Frames that were no request. */
  readonly junk: number;
  /** Requests into an answer. */
  readonly early: number;
}

/** How a line was used; times in ms. */
export interface LineFigures {
  readonly polls: number;
  readonly perSecond: number;
  /** Of a line on which frames follow each other by 3.5 characters, percent. */
  readonly share: number;
  /** The same without the time by which the slave's answers were late. */
  readonly ownShare: number;
  /** The same of the poll in the middle, which a machine with other things to do disturbs less. */
  readonly medianShare: number;
  /** ms of a poll at best: request, silence, answer, silence. */
  readonly ideal: number;
  /** ms of silence that are due before a request. */
  readonly due: number;
  readonly silences: Quantiles;
  readonly shortest: number;
  readonly violations: number;
  readonly late: Quantiles;
}

/** The figures of the requests that came from `from` until `until`. Throws when those are less than two. */
export function figuresOf(
  { requests }: SeenLine,
  { ideal, due }: ReturnType<typeof bestOf>,
  [from, until]: readonly [number, number],
): LineFigures {
  const within = requests.filter(([came]) => came >= from && came < until);
  const [first, last] = [within[0], within.at(-1)];
  if (first === undefined || last === undefined || first === last)
    throw new Error("there was no poll to measure");
  const polls = within.length - 1;
  const length = (last[0] - first[0]) / polls;
  const silences = within.map(([, silence]) => silence);
  const late = within.map((request) => request[2]);
  const lengths = within.slice(1).map(([came], n) => came - (within[n]?.[0] ?? came));
  const meanLate = late.reduce((sum, each) => sum + each, 0) / late.length;
  return {
    polls,
    perSecond: 1000 / length,
    share: (100 * ideal) / length,
    ownShare: (100 * ideal) / (length - meanLate),
    medianShare: (100 * ideal) / medianOf(lengths),
    ...{ ideal, due },
    silences: quantilesOf(silences),
    shortest: Math.min(...silences),
    violations: silences.filter((silence) => silence < due).length,
    late: quantilesOf(late),
  };
}

/** The figures for people, a line each. */
export function figureLines(figures: LineFigures): string[] {
  const { polls, perSecond, ideal, due, shortest, violations, silences, late } = figures;
  const { share, ownShare, medianShare } = figures;
  const ms = (value: number | undefined): string => `${(value ?? NaN).toFixed(2)} ms`;
  const percent = (value: number): string => `${value.toFixed(1)} %`;
  const rows = [
    ["a poll at best", `${ms(ideal)}, ${(1000 / ideal).toFixed(1)} polls/s`],
    ["polls/s", `${perSecond.toFixed(1)}, of ${String(polls)} polls`],
    [
      "of the ideal",
      `${percent(share)}; ${percent(ownShare)} without the slave's own lateness; the median poll ${percent(medianShare)}`,
    ],
    [
      "silence before a request",
      `min ${ms(shortest)}, p1 ${ms(at(silences, 1))}, p50 ${ms(at(silences, 50))}, p99 ${ms(at(silences, 99))}`,
    ],
    [`shorter than t3.5 (${ms(due)})`, String(violations)],
    ["the slave's answers late by", `p50 ${ms(at(late, 50))}, p99 ${ms(at(late, 99))}`],
  ];
  return rows.map(([name = "", text = ""]) => `${name.padEnd(28)} ${text}`);
}
